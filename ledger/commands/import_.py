"""`ledger import`: runs that other tools or people recorded, as claims in the journal, checked by guards."""

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from time import time_ns

from filelock import FileLock

from guards.claims import GUARDS
from guards.guard import inspect
from guards.training import LOGGED
from ledger.commands.run.limits import training_limits
from ledger.commands.run.training_health import inspect_identity, training_identity
from ledger.evidence import Evidence
from ledger.evidence.identity import TrainingIdentity
from ledger.evidence.imported_claims import Claimed, ClaimedRun, Consistency, Point
from ledger.evidence.training import TrainingSeries
from ledger.findings import Finding, Json, Report
from ledger.importers.journal_form import claims_of, plain
from ledger.importers.registry import read_source
from ledger.importers.training_log import training_log
from ledger.journal.runs import IMPORTED, load_runs
from ledger.journal.store import open_journal
from ledger.tracking.sender import launch
from ledger.tracking.series import MetricPoint, append_points
from ledger.utils.hashing import digest_file, digest_json
from ledger.utils.paths import relative_if_inside
from ledger.utils.redaction import scrub_text
from ledger.workspace import Workspace

MODE = "imported"
MOST_POINTS = 5_000  # of one series, for MLflow; the journal has a summary of the series
MOST_PROBLEMS = 20  # in one entry


@dataclass(frozen=True, slots=True)
class ImportedSource:
    """The imported source: `path` as recorded, `digest` over the files that were read."""

    kind: str
    path: str
    digest: str

    def to_json(self) -> dict[str, Json]:
        """The source as entries have it."""
        return {"kind": self.kind, "path": self.path, "digest": self.digest}


@dataclass(frozen=True, slots=True)
class ImportedRun:
    """The body of one run's entry, and its points. `is_new`: its claims are not recorded yet."""

    body: Mapping[str, Json]
    series: Mapping[str, Sequence[Point]]
    is_new: bool


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of reading a source."""

    source: ImportedSource
    runs: tuple[ImportedRun, ...]
    problems: tuple[str, ...]
    report: Report


def read(path: Path, kind: str | None, workspace: Workspace | None) -> Imported:
    """Read a source and find what is not recorded yet; writes nothing. Without a workspace everything is new.

    Raises LedgerError if nothing can be read.
    """
    claimed = read_source(path, kind)
    source = ImportedSource(claimed.kind, _shown(path, workspace), _digest(claimed.files, path))
    report = on_log = _inspect(claimed)
    problems = tuple(scrub_text(one) for one in claimed.problems)
    known = _known(workspace) if workspace else set()
    logs = [training_log(run, source.path) for run in claimed.runs]
    trained = any(map(_is_training, logs))
    recorded = load_runs(workspace) if workspace and trained else []
    trainings = {run.id: run.training_identity() for run in recorded}
    bodies = []
    for run, log in zip(claimed.runs, logs, strict=True):
        body = _body(run, source, problems)
        health = _inspect_training(log, body, trainings, workspace)
        body["report"] = plain((_about(on_log, run.experiment) + health).to_json())
        report += _named(health, body["run"], len(claimed.runs))
        bodies.append(body)
    runs = [
        ImportedRun(body, run.series, body["claims_digest"] not in known)
        for body, run in zip(bodies, claimed.runs, strict=True)
    ]
    return Imported(source, tuple(runs), problems, report)


def record(workspace: Workspace, imported: Imported) -> None:
    """Append an entry for each new run, and store its series for MLflow."""
    journal = open_journal(workspace, MODE)
    workspace.private.mkdir(parents=True, exist_ok=True)
    with FileLock(workspace.private / "import.lock"):
        known = _known(workspace)  # another import may have run in the meantime
        for run in imported.runs:
            if run.body["claims_digest"] not in known:
                journal.append(IMPORTED, run.body)
                _store_series(workspace, run)
    if any(run.is_new for run in imported.runs):
        launch(workspace.root)


def _store_series(workspace: Workspace, run: ImportedRun) -> None:
    """Store the series for MLflow. The journal has the run, so a full disk does not end the import here."""
    try:
        append_points(workspace.runs / run.body["run"], _points(run))
    except OSError as error:
        print(
            f"ledger: {run.body['run']}: it will be incomplete in MLflow: {error.strerror}",
            file=sys.stderr,
        )


def _inspect(claimed: Claimed) -> Report:
    """The guards on claims; they only apply to written logs."""
    if claimed.log is None:
        return Report()
    return inspect(GUARDS, Evidence(Consistency()), Evidence(claimed.log))


def _about(report: Report, experiment: str) -> Report:
    """The findings that name the experiment, or name none."""

    def concerns(finding: Finding) -> bool:
        named = finding.evidence.get("experiments") or [experiment]
        return experiment in named

    return Report(tuple(filter(concerns, report.findings)), report.skips, ())


def _inspect_training(
    log: TrainingSeries,
    body: dict[str, Json],
    trainings: dict[str, TrainingIdentity],
    workspace: Workspace | None,
) -> Report:
    """The health of a training by its log, and whether it is one that is recorded already.

    Adds its first losses to the body, and the training to those that later ones are compared with.
    """
    if not _is_training(log):
        return Report()
    identity = training_identity(body["run"], body["experiment"], log.points, log.declared)
    body["training"] = plain({"first_losses": identity.losses, "stated": log.declared})
    report = inspect(LOGGED, Evidence(training_limits(workspace, None)), Evidence(log))
    report += inspect_identity(identity, trainings.values())
    trainings[identity.run] = identity
    return Report(report.findings, (), report.passed)  # a log that lacks a column is not an incomplete check


def _is_training(log: TrainingSeries) -> bool:
    return bool(log.points or log.evaluations or log.final)


def _named(report: Report, run: str, runs: int) -> Report:
    """The report with its run's name in each message, where the source has several runs."""
    if runs == 1:
        return report
    return replace(report, findings=tuple(replace(f, message=f"{run}: {f.message}") for f in report.findings))


def _body(run: ClaimedRun, source: ImportedSource, problems: Sequence[str]) -> dict[str, Json]:
    claims = claims_of(run)
    experiment = str(plain(run.experiment))
    identity = {"kind": source.kind, "experiment": experiment, "key": str(plain(run.key))}
    digest = digest_json({**identity, "claims": claims})
    # An MLflow or W&B run keeps its id wherever its files are; other runs are identified by their path.
    place = identity if run.key != run.experiment else {**identity, "path": source.path}
    name = re.sub(r"[^\w.-]+", "-", experiment).strip("-.")[:60] or source.kind
    return {
        "run": f"{name}-{digest_json(place)[7:13]}",
        "experiment": experiment,
        "mode": MODE,
        "source": {**source.to_json(), "key": identity["key"], "where": str(plain(run.where))},
        "claims": claims,
        "claims_digest": digest,
        "problems": list(problems[:MOST_PROBLEMS]),
    }


def _known(workspace: Workspace) -> set[str]:
    """Digests of the claims of each run's latest import; a source that was reverted counts as new again."""
    latest: dict[str, str] = {}
    for entry in open_journal(workspace, MODE).entries():
        if entry.kind == IMPORTED:
            latest[str(entry.body.get("run"))] = str(entry.body.get("claims_digest"))
    return set(latest.values())


def _digest(files: Sequence[Path], root: Path) -> str:
    """The digest of a file, or one over the names and digests of the files that were read in a folder."""
    if list(files) == [root]:
        return f"sha256:{digest_file(root)['sha256']}"
    return digest_json({os.path.relpath(file, root): digest_file(file)["sha256"] for file in files})


def _shown(path: Path, workspace: Workspace | None) -> str:
    """Relative to the repository if inside, so that the record is valid on other machines."""
    root = workspace.root.resolve() if workspace else None
    return (
        relative_if_inside(path.resolve(), root)
        if root and path.resolve().is_relative_to(root)
        else str(path)
    )


def _points(run: ImportedRun) -> Iterator[MetricPoint]:
    now = time_ns() // 1_000_000
    for name, points in run.series.items():
        every = -(-len(points) // MOST_POINTS) or 1
        finite = (point for point in points[::every] if isfinite(point.value))
        yield from (MetricPoint(name, point.value, now, point.step) for point in finite)
