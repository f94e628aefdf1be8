"""What is recorded and shown about the checkpoints of a command that has ended."""

from dataclasses import replace

from ledger.commands.run.checkpoint import CODE, combine_reports, own_metrics, sample_metrics
from ledger.commands.run.command.source import CommandSource
from ledger.commands.run.monitor import CheckpointMonitor
from ledger.commands.run.recorder import Recorder
from ledger.findings import Json, Report, Skip, Verdict
from ledger.utils.plural import count


def report_of(
    monitor: CheckpointMonitor, source: CommandSource, *, warn_only: bool, hint: str | None
) -> Report:
    """The findings of all checkpoints, the health of the training, and what was not verified, as skips."""
    report = Report()
    if monitor.checkpoints:
        report += combine_reports(monitor.checkpoints, warn_only=warn_only)
    if monitor.points and (source.trainings or monitor.checkpoints):
        report += _health(monitor, source, warn_only=warn_only)
    if source.trainings and not (monitor.checkpoints or monitor.unverified):
        report += Report(skips=(Skip(CODE, "the training saved no checkpoint"),))
    if monitor.interrupted:
        report += Report(skips=(Skip(CODE, "the verification was interrupted", required=True),))
    reasons = [f"{one.folder.name}: {one.reason}" if one.folder else one.reason for one in monitor.unverified]
    report += Report(skips=tuple(Skip(CODE, reason) for reason in [*reasons, *filter(None, [hint])]))
    saved = len(monitor.checkpoints) + sum(one.folder is not None for one in monitor.unverified)
    if saved and not monitor.checkpoints:
        none = f"0 of {count(saved, 'saved checkpoint')} verified: nothing is known of what was saved"
        report += Report(skips=(Skip(CODE, none, required=True),))
    return report


def _health(monitor: CheckpointMonitor, source: CommandSource, *, warn_only: bool) -> Report:
    from guards.guard import inspect
    from guards.training import LOGGED
    from ledger.evidence import Evidence
    from ledger.evidence.training import TrainingSeries

    series = TrainingSeries(
        tuple(monitor.points),
        filtered=source.is_filtered,
        evaluations=tuple(monitor.evaluations),
    )
    found = inspect(LOGGED, Evidence(monitor.limits), Evidence(series))
    health = replace(found, skips=())  # a log that lacks a column is not an incomplete check
    return health.as_warnings() if warn_only else health


def finished(
    monitor: CheckpointMonitor,
    source: CommandSource,
    report: Report,
    recorder: Recorder,
    *,
    failed: bool,
) -> dict[str, Json]:
    """What the journal's `run.finished` entry says of the trainings; `failed`: the command itself failed."""
    folders = sorted({one.folder for one in source.trainings})
    return {
        "status": "failed" if failed else "finished",
        "output": {"path": recorder.shown(folders[0])} if len(folders) == 1 else None,
        "metrics": {**own_metrics(monitor.evaluations), **sample_metrics(monitor.checkpoints)},
        "last_step": _last_step(monitor, source),
        "checkpoints": [one.to_json(recorder) for one in monitor.checkpoints],
        "unverified": [
            {"step": one.step, "path": recorder.shown(one.folder), "reason": one.reason}
            for one in monitor.unverified
            if one.folder
        ],
        "report": report.to_json(),
        "verdict": str(Verdict.FAIL if failed else report.verdict),
    }


def _last_step(monitor: CheckpointMonitor, source: CommandSource) -> int | None:
    """The highest step that any training reported."""
    if not source.trainings:
        return None
    reported = (source.trainings, monitor.points, monitor.checkpoints, monitor.unverified)
    return max(one.step for group in reported for one in group)
