"""The health of a training: while it runs, and whether it is one that is recorded already."""

from collections.abc import Iterable, Mapping

from guards.guard import inspect
from guards.identity import TRAINED
from guards.training import LOGGED
from ledger.evidence import Evidence
from ledger.evidence.identity import TrainingHistory, TrainingIdentity
from ledger.evidence.training import TrainingLimits, TrainingPoint, TrainingSeries
from ledger.findings import Finding, Json, Report, Severity
from ledger.journal.loss_log import first_losses

SHARE = 50  # a log is inspected again when it has grown by a fiftieth, so that the cost stays linear


class HealthWatch:
    """Inspects the log of a training while it grows, and reports each warning or error once."""

    def __init__(self, limits: TrainingLimits) -> None:
        self._limits = limits
        self._reported: set[str] = set()
        self._next = 1

    def new_findings(self, series: TrainingSeries) -> list[Finding]:
        """The findings of a warning or more by guards that had none before; often empty."""
        size = len(series.points) + len(series.evaluations)
        if size < self._next:
            return []
        self._next = size + max(1, size // SHARE)
        report = inspect(LOGGED, Evidence(self._limits), Evidence(series))
        new = [
            finding
            for finding in report.findings
            if finding.severity >= Severity.WARNING and finding.code not in self._reported
        ]
        self._reported |= {finding.code for finding in new}
        return new


def training_identity(
    run: str, experiment: str, points: Iterable[TrainingPoint], stated: Mapping[str, Json]
) -> TrainingIdentity:
    """What a training is compared with others by, before its entry is in the journal."""
    return TrainingIdentity(run, experiment, first_losses(points), stated)


def inspect_identity(identity: TrainingIdentity, earlier: Iterable[TrainingIdentity]) -> Report:
    """DUP004: whether an earlier run under another name, or with other settings, had the same losses."""
    return inspect(TRAINED, Evidence(TrainingHistory(tuple(earlier))), Evidence(identity))
