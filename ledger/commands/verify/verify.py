"""`ledger verify`: reload a checkpoint in a fresh process, and guard what came of it."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from guards import registry
from guards.guard import inspect
from guards.training import LOGGED
from ledger.checkpoints.folders import digest_files, files_of, list_checkpoints
from ledger.checkpoints.marks import stated_mark
from ledger.checkpoints.provenance import claims_of, origin_of_checkpoint, origin_of_run, step_in_name
from ledger.checkpoints.stored_evidence import read_evidence
from ledger.commands.reporter import Reporter
from ledger.commands.run.limits import training_limits
from ledger.commands.verify.orphaned_checkpoints import run_of_orphan
from ledger.commands.verify.record import record
from ledger.commands.verify.sample_checks import inspect_sample
from ledger.commands.verify.values import VerificationContext, VerificationResult, VerifyRequest
from ledger.display.progress import Progress
from ledger.environments.environment import Environment
from ledger.environments.lockfile import Lockfile
from ledger.environments.lockfile import find as find_lockfiles
from ledger.errors import LedgerError, UsageError
from ledger.evidence import Evidence, Unobserved
from ledger.evidence.checkpoint_files import SoundFiles
from ledger.evidence.metrics import Metric
from ledger.evidence.provenance import Measured, Origin
from ledger.evidence.snapshot import Snapshot
from ledger.evidence.training import TrainingLimits, TrainingSeries, series_of_log
from ledger.findings import Json, Report
from ledger.importers.trainer_state import NAME, read_trainer_state
from ledger.journal.run import Run
from ledger.journal.runs import find as find_run
from ledger.journal.runs import load_runs
from ledger.workspace import Workspace
from runners.environments.build import default_cache, ensure
from runners.environments.inspection import capture
from runners.host.verification import PARTS, ReloadResult, reload
from runners.host.worker_process import Worker

EVIDENCE_LOST = (
    "{run} keeps evidence of every save, and this one has none: its trainer ended before it was written"
)


def verify(workspace: Workspace | None, request: VerifyRequest, voice: Reporter) -> list[VerificationResult]:
    """Verify each checkpoint, one after the other in one worker, and record each as soon as it is judged.

    Raises LedgerError when one is not there, or the environment cannot be had.
    """
    for checkpoint in request.checkpoints:
        if not checkpoint.is_dir():
            what = "is a file" if checkpoint.exists() else "does not exist"
            raise LedgerError(f"{checkpoint} {what}", hint="name the folder of a checkpoint")
    if request.lockfile:
        request = replace(request, interpreter=_build(workspace, request.lockfile, voice))
    done: list[VerificationResult] = []
    total = len(request.checkpoints)
    with Worker(request.interpreter, _log(workspace)) as worker, voice.progress("checkpoints") as tell:
        with ThreadPoolExecutor(1) as pool:  # importing transformers takes seconds
            ready = pool.submit(worker.call, {"job": "get_ready"})
            setting = prepare(workspace, request)
            ready.result()
        for checkpoint in request.checkpoints:
            tell(Progress("reloading", len(done), total))
            done.append(record(setting, verify_checkpoint(worker, setting, checkpoint), voice.say))
        tell(Progress("reloading", total, total))
    return done


def _build(workspace: Workspace | None, lockfile: str, voice: Reporter) -> Path:
    """The Python of the environment that a lockfile pins, built where it is not there yet."""
    with voice.progress("steps") as tell:
        return ensure(_lockfiles(workspace, lockfile), default_cache(), tell)


def _lockfiles(workspace: Workspace | None, name: str) -> list[Lockfile]:
    return find_lockfiles(name, workspace.lockfiles if workspace else Path("lockfiles"))


def prepare(workspace: Workspace | None, request: VerifyRequest) -> VerificationContext:
    """Look at the environment and the record once. Raises UsageError for a run that is not on the record."""
    runs = tuple(load_runs(workspace)) if workspace else ()
    if request.run and not workspace:
        raise UsageError("--run needs a ledger: there is none here", hint="make one with: ledger init")
    run = find_run(runs, request.run) if request.run else None
    known = run or _run_of(request.checkpoints[0], runs)
    return VerificationContext(
        workspace=workspace,
        environment=_environment(workspace, known, request),
        question=request.question,
        claims=request.claims,
        runs=runs,
        run=run,
        health=training_limits(workspace, _stated_limits(known)),
    )


def verify_checkpoint(worker: Worker, setting: VerificationContext, checkpoint: Path) -> VerificationResult:
    """Reload it and guard what came of it; nothing is recorded or marked yet."""
    before = _stamps(checkpoint)
    with ThreadPoolExecutor(1) as pool:  # while the worker imports what it needs
        digest = pool.submit(_digest, checkpoint)
        result = reload(worker, checkpoint, setting.question)
    # What was digested is what was reloaded only if nobody wrote to it meanwhile.
    files = digest.result() if _stamps(checkpoint) == before else None
    run = setting.run or _run_of(checkpoint, setting.runs)
    expected, actual = _sides(setting, checkpoint, result, run)
    said, memory = (result.asked, None) if result.asked else (result.actual.sample, result.expected.sample)
    on_text, text = inspect_sample(said, memory)
    report = inspect(registry.CHECKPOINT, expected, actual) + on_text
    if setting.health is not None:
        report += inspect_log(checkpoint, result, setting.health)
    return VerificationResult(checkpoint, report, result, files, text, run)


def inspect_log(checkpoint: Path, result: ReloadResult, limits: TrainingLimits) -> Report:
    """TRN001 to TRN004 over the Trainer's own log, as far as it went when this was saved."""
    log = read_trainer_state(checkpoint).log
    kept = result.expected.effective.training if result.expected.effective else {}
    series = series_of_log(log, filtered=kept.get("logging_nan_inf_filter") is not False)
    nothing = Unobserved(f"{NAME} has no log of the training")
    actual = Evidence().including(TrainingSeries, series if series.points else nothing)
    return inspect(LOGGED, Evidence(limits), actual)


def _sides(
    setting: VerificationContext, checkpoint: Path, result: ReloadResult, run: Run | None
) -> tuple[Evidence, Evidence]:
    """What is expected of the checkpoint, and what is there."""
    workspace = setting.workspace
    before = replace(
        _kept(result, _keeper(setting, checkpoint, result, run)), last_good=_last_good(checkpoint)
    )
    origin = replace(result.actual.origin, environment=setting.environment.digest)
    known = origin_of_run(run, workspace.runs / run.id) if run and workspace else Origin()
    earlier = [one for one in setting.runs if one.status == "finished" and _same_pipeline(one, run)]
    scored = result.asked if result.asked and result.asked.bleu else result.actual.sample
    scores = {"bleu": scored.bleu} if scored and scored.bleu else {}
    expected = Evidence(
        SoundFiles(),
        before,
        known,
        claims_of(checkpoint, setting.claims, earlier),
    )
    actual = Evidence(
        result.files,
        replace(result.actual, origin=origin),
        origin_of_checkpoint(checkpoint, result.expected if result.has_evidence else None),
        Measured(scores, len(scored.output) if scored else 0),
    )
    return expected, actual


def _keeper(
    setting: VerificationContext, checkpoint: Path, result: ReloadResult, run: Run | None
) -> Run | None:
    """The run that kept evidence of all its saves, of which this is one; None where nobody did."""
    if run and run.is_training:
        return run
    if result.has_evidence or setting.workspace is None:
        return None
    return run_of_orphan(checkpoint, setting.runs, setting.workspace)


def _kept(result: ReloadResult, keeper: Run | None) -> Snapshot:
    """What was kept at the save. Its keeper owes it: a save of it without is no foreign one."""
    if keeper is None:
        return result.expected
    lost = {} if result.has_evidence else dict.fromkeys(PARTS, EVIDENCE_LOST.format(run=keeper.id))
    # A forecaster has no text to keep: of its evidence all that there is was kept.
    owed = (keeper is not None and keeper.task == "training") or not result.has_evidence
    return replace(result.expected, owed=owed, unseen={**result.expected.unseen, **lost})


def _same_pipeline(earlier: Run, run: Run | None) -> bool:
    return run is None or (earlier.mode == run.mode and earlier.experiment == run.experiment)


def _last_good(checkpoint: Path) -> Metric | None:
    """What the newest verified save before this one scored when it was reloaded."""
    step = step_in_name(checkpoint)
    for other in reversed(list_checkpoints(checkpoint.absolute().parent)):
        if step is not None and (step_in_name(other) or 0) < step and (mark := stated_mark(other)):
            return mark.bleu
    return None


def _run_of(checkpoint: Path, runs: Sequence[Run]) -> Run | None:
    """The run on the record that a checkpoint names, or in whose folder, called as the run, it lies."""
    known = {run.id: run for run in runs}
    with suppress(LedgerError):
        kept = read_evidence(checkpoint)
        if kept and kept.snapshot.origin.run:
            return known.get(kept.snapshot.origin.run)
    return next((known[part] for part in reversed(checkpoint.resolve().parts) if part in known), None)


def _stated_limits(run: Run | None) -> Mapping[str, Json] | None:
    guards = run.spec.get("guards") if run else None
    return (guards or {}).get("training_limits")


def _environment(workspace: Workspace | None, run: Run | None, request: VerifyRequest) -> Environment:
    """The environment to reload in, held against its own lockfile, or else the run's: its digest can then be
    compared with the run's."""
    name = request.lockfile or (run.lockfile_name if run else None)
    return capture(request.interpreter, _lockfiles(workspace, str(name)) if name else [])


def _stamps(checkpoint: Path) -> dict[str, tuple[int, int, int]]:
    """Inode, size and time of every file, the ledger's own left out."""
    stamps = {}
    for path in files_of(checkpoint):
        with suppress(FileNotFoundError):
            found = path.stat()
            stamps[str(path)] = (found.st_ino, found.st_size, found.st_mtime_ns)
    return stamps


def _digest(checkpoint: Path) -> str | None:
    try:
        return digest_files(checkpoint)
    except OSError:
        return None


def _log(workspace: Workspace | None) -> Path:
    folder = workspace.private if workspace else Path(tempfile.gettempdir()) / f"ledger-{os.getuid()}"
    return folder / "verify.log"
