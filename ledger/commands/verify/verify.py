"""`ledger verify`: reload a checkpoint in a fresh process, and guard the result."""

import os
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

from guards import registry
from guards.guard import inspect
from guards.training import LOGGED
from ledger.checkpoints.folders import digest_files, files_of, list_checkpoints
from ledger.checkpoints.kinds import checkpoints_below, is_checkpoint, unsupported_kind
from ledger.checkpoints.marks import stated_mark
from ledger.checkpoints.provenance import (
    best_of,
    claims_of,
    origin_of_checkpoint,
    origin_of_run,
    step_in_name,
)
from ledger.checkpoints.stored_evidence import read_evidence
from ledger.commands.reporter import Reporter
from ledger.commands.run.limits import training_limits
from ledger.commands.run.preflight import inspect_languages
from ledger.commands.verify.next_commands import next_commands
from ledger.commands.verify.orphaned_checkpoints import run_of_orphan
from ledger.commands.verify.record import record
from ledger.commands.verify.sample_checks import inspect_sample
from ledger.commands.verify.values import VerificationContext, VerificationResult, VerifyRequest
from ledger.display.progress import Progress
from ledger.environments.diff.from_journal import VERIFIED
from ledger.environments.environment import Environment
from ledger.environments.lockfile import Lockfile
from ledger.environments.lockfile import find as find_lockfiles
from ledger.errors import LedgerError, UsageError
from ledger.evidence import Evidence, Unobserved
from ledger.evidence.checkpoint_files import CheckpointFiles, SoundFiles
from ledger.evidence.metrics import Metric
from ledger.evidence.provenance import BestCheckpoint, Measured, MetricDirection, Origin
from ledger.evidence.snapshot import Snapshot
from ledger.evidence.text import TextEvidence
from ledger.evidence.training import TrainingLimits, TrainingSeries, series_of_log
from ledger.findings import Json, Report, Skip
from ledger.importers.trainer_state import NAME, read_trainer_state
from ledger.importers.training_log import stated_in_name
from ledger.journal.run import Run
from ledger.journal.runs import find as find_run
from ledger.journal.runs import load_record
from ledger.specs.experiment import Codes
from ledger.utils.paths import shown
from ledger.utils.plural import and_more
from ledger.workspace import Workspace
from runners.environments.build import default_cache, ensure
from runners.environments.inspection import capture
from runners.host.verification import PARTS, ReloadOptions, ReloadResult, inspect_files, reload
from runners.host.worker_process import Worker, WorkerDiedError
from runners.worker.messages import GetReady

SUPPORTED = "translation models of the Transformers library and Lightning checkpoints can be verified"
EVIDENCE_LOST = "{run} writes evidence for every checkpoint, and this one has none: the training ended first"


def verify(
    workspace: Workspace | None, request: VerifyRequest, reporter: Reporter
) -> list[VerificationResult]:
    """Verify the checkpoints one after the other in one worker, and record each at once.

    There is a result for each, whatever is wrong with the others. Raises LedgerError when the environment is
    not available, or the only checkpoint does not exist.
    """
    if len(request.checkpoints) == 1:
        check_folder(request.checkpoints[0])
    if request.lockfile:
        request = replace(request, interpreter=_build(workspace, request.lockfile, reporter))
    done: list[VerificationResult] = []
    with (
        _Worker(request.interpreter, _log(workspace)) as worker,
        reporter.progress("checkpoints") as on_progress,
    ):
        with ThreadPoolExecutor(1) as pool:  # importing transformers takes seconds
            ready = pool.submit(worker.get_ready)
            context = prepare(workspace, request)
            ready.result()
        for checkpoint in request.checkpoints:
            on_progress(Progress("reloading", len(done), len(request.checkpoints)))
            try:
                check_folder(checkpoint)
                found = verify_checkpoint(worker.running(), context, checkpoint)
                if found.result.codes is None:  # else the request is at fault, not the checkpoint
                    found = record(context, found, reporter.say)
                    found = replace(found, next=next_commands(context, found))
                done.append(found)
            except Exception as error:  # one bad checkpoint must not stop the rest
                done.append(_not_verified(checkpoint, error))
                worker.end(error)
        on_progress(Progress("reloading", len(done), len(done)))
    return done


class _Worker:
    """The worker of a verification, started again where a checkpoint was too much for it."""

    def __init__(self, interpreter: Path, log: Path) -> None:
        self._interpreter, self._log = interpreter, log
        self._workers = ExitStack()
        self._worker: Worker | None = None

    def __enter__(self) -> "_Worker":
        self.running()
        return self

    def __exit__(self, *error: object) -> None:
        self._workers.close()

    def running(self) -> Worker:
        """The process, started if there is none."""
        if self._worker is None:
            self._worker = self._workers.enter_context(Worker(self._interpreter, self._log))
        return self._worker

    def get_ready(self) -> None:
        """Have it import what a reload needs."""
        self.running().call(GetReady())

    def end(self, error: Exception) -> None:
        """End it after an error that leaves it dead, or in the middle of a job."""
        with suppress(OSError), self._log.open("a", encoding="utf-8") as log:
            log.writelines(traceback.format_exception(error))
        if isinstance(error, WorkerDiedError) or not isinstance(error, LedgerError):
            self._workers.close()
            self._worker = None


def check_folder(checkpoint: Path) -> None:
    """Raises LedgerError where there is no such folder or nothing in it can be verified yet, UsageError for a
    folder that holds checkpoints."""
    if not checkpoint.is_dir():
        what = "is a file" if checkpoint.exists() else "does not exist"
        raise LedgerError(f"{checkpoint} {what}", hint="name the folder of a checkpoint")
    if below := checkpoints_below(checkpoint):
        names = and_more([one.name for one in below], 3)
        raise UsageError(
            f"{checkpoint} is not a checkpoint: it holds {names}",
            hint=f"verify those: ledger verify {checkpoint}/checkpoint-*",
        )
    if not is_checkpoint(checkpoint):
        raise UsageError(
            f"{checkpoint} is not a checkpoint: it holds neither config.json nor weights",
            hint="name the folder that save_pretrained or a Trainer wrote",
        )
    if kind := unsupported_kind(checkpoint):
        raise LedgerError(f"{checkpoint}: unsupported checkpoint type: {kind}", hint=SUPPORTED)


def _not_verified(checkpoint: Path, error: Exception) -> VerificationResult:
    """The inconclusive result of a checkpoint that could not be verified; nothing is recorded or marked."""
    why = error.message if isinstance(error, LedgerError) else f"{type(error).__name__}: {error}"
    reason = f"it could not be verified: {why.removeprefix(f'{checkpoint}: ')}"
    nothing = Snapshot(unseen=dict.fromkeys(PARTS, reason))
    files = CheckpointFiles(shown(checkpoint), "not read", 0)
    report = Report(skips=(Skip("CKP001", reason, required=True),))
    return VerificationResult(checkpoint, report, ReloadResult(files, nothing, nothing))


def _build(workspace: Workspace | None, lockfile: str, reporter: Reporter) -> Path:
    """The Python of the environment that a lockfile pins, built if need be."""
    with reporter.progress("steps") as on_progress:
        return ensure(_lockfiles(workspace, lockfile), default_cache(), on_progress)


def _lockfiles(workspace: Workspace | None, name: str) -> list[Lockfile]:
    return find_lockfiles(name, workspace.lockfiles if workspace else Path("lockfiles"))


def prepare(workspace: Workspace | None, request: VerifyRequest) -> VerificationContext:
    """Read the environment and the record once. Raises UsageError for an unknown run."""
    runs, entries = load_record(workspace) if workspace else ([], [])
    if request.run and not workspace:
        raise UsageError("--run needs a ledger, and there is none here", hint="make one with: ledger init")
    run = find_run(runs, request.run) if request.run else None
    known = run or _run_of(request.checkpoints[0], runs)
    return VerificationContext(
        workspace=workspace,
        environment=_environment(workspace, known, request),
        options=request.options,
        claims=request.claims,
        runs=tuple(runs),
        run=run,
        verdicts=tuple(one.body for one in entries if one.kind == VERIFIED),
        health=training_limits(workspace, _stated_limits(known)),
    )


def verify_checkpoint(worker: Worker, context: VerificationContext, checkpoint: Path) -> VerificationResult:
    """Reload the checkpoint and guard the result. Records and marks nothing."""
    inspected, before = inspect_files(checkpoint), _stamps(checkpoint)
    with ThreadPoolExecutor(1) as pool:  # while the worker imports what it needs
        # What will not be loaded may be endless.
        sound = not (inspected.problems or inspected.refusals)
        digest = pool.submit(_digest, checkpoint) if sound else None
        result = reload(worker, checkpoint, context.options, inspected)
    if result.codes is not None:
        written = Codes(source=context.options.source_code, target=context.options.target_code)
        return VerificationResult(checkpoint, inspect_languages(written, result.codes), result)
    # The digest is that of the reloaded files only if nobody wrote to them meanwhile.
    files = digest.result() if digest and _stamps(checkpoint) == before else None
    run = context.run or _run_of(checkpoint, context.runs)
    expected, actual = _sides(context, checkpoint, result, run)
    text_report, text = _inspect_text(context.options, result)
    if context.health is None and context.options.source:  # it may not have learned enough yet
        text_report = text_report.as_warnings()
    report = inspect(registry.CHECKPOINT, expected, actual) + text_report
    if context.health is not None:
        report += inspect_log(checkpoint, result, context.health)
    return VerificationResult(checkpoint, report, result, files, text, run)


def _inspect_text(options: ReloadOptions, result: ReloadResult) -> tuple[Report, TextEvidence | None]:
    """The text guards on the user's lines, if there are any, else on those of the evidence."""
    asked = bool(options.source)
    if result.user_sample or (asked and result.has_evidence):
        sample, memory = result.user_sample, None
    else:
        sample, memory = result.actual.sample, result.expected.sample
    why = result.actual.unseen.get("sample", "there are no lines to translate")
    given = "the lines of --source were not translated" if asked else "the reloaded model translated no lines"
    return inspect_sample(sample, memory, Unobserved(f"{given}: {why}", required=asked))


def inspect_log(checkpoint: Path, result: ReloadResult, limits: TrainingLimits) -> Report:
    """The guards on a training log over the Trainer's own one, up to this checkpoint."""
    state = read_trainer_state(checkpoint)
    arguments = result.expected.effective.training if result.expected.effective else {}
    filtered = arguments.get("logging_nan_inf_filter") is not False
    name = checkpoint.name if step_in_name(checkpoint) is None else checkpoint.absolute().parent.name
    declared = {**stated_in_name(name), **arguments}
    series = series_of_log(state.log, filtered=filtered, declared=declared, logged=state.logged)
    missing = Unobserved(f"{NAME} has no log of the training")
    actual = Evidence().including(TrainingSeries, series if series.points else missing)
    return inspect(LOGGED, Evidence(limits), actual)


def _sides(
    context: VerificationContext, checkpoint: Path, result: ReloadResult, run: Run | None
) -> tuple[Evidence, Evidence]:
    """The expected and the actual evidence."""
    workspace = context.workspace
    owner = _evidence_owner(context, checkpoint, result, run)
    before = replace(_expected(result, owner), last_good=_last_good(checkpoint))
    origin = replace(result.actual.origin, environment=context.environment.digest)
    known = origin_of_run(run, workspace.runs / run.id) if run and workspace else Origin()
    earlier = [one for one in context.runs if one.status == "finished" and _same_pipeline(one, run)]
    given = result.user_sample
    scored = given if given and given.bleu else result.actual.sample
    scores = {"bleu": scored.bleu} if scored and scored.bleu else {}
    arguments = result.expected.effective.training if result.expected.effective else {}
    stated = arguments.get("greater_is_better")
    expected = Evidence(
        SoundFiles(),
        before,
        known,
        claims_of(checkpoint, context.claims, earlier),
        MetricDirection(stated if isinstance(stated, bool) else None),
    )
    actual = Evidence(
        result.files,
        replace(result.actual, origin=origin),
        origin_of_checkpoint(checkpoint, result.expected if result.has_evidence else None),
        Measured(scores, len(scored.output) if scored else 0),
    )
    best = best_of(checkpoint, arguments)
    return expected, actual.including(BestCheckpoint, best) if best else actual


def _evidence_owner(
    context: VerificationContext, checkpoint: Path, result: ReloadResult, run: Run | None
) -> Run | None:
    """The run that wrote evidence for all its checkpoints and saved this one, if there is one."""
    if run and run.is_training:
        return run
    if result.has_evidence or context.workspace is None:
        return None
    return run_of_orphan(checkpoint, context.runs, context.workspace)


def _expected(result: ReloadResult, owner: Run | None) -> Snapshot:
    """The evidence of the save. Where an owner should have written it, missing parts are not just unknown."""
    if owner is None:
        return result.expected
    lost = {} if result.has_evidence else dict.fromkeys(PARTS, EVIDENCE_LOST.format(run=owner.id))
    # A forecaster has no text: a part that its evidence does not have is not missing.
    owed = owner.task == "training" or not result.has_evidence
    return replace(result.expected, owed=owed, unseen={**result.expected.unseen, **lost})


def _same_pipeline(earlier: Run, run: Run | None) -> bool:
    return run is None or (earlier.mode == run.mode and earlier.experiment == run.experiment)


def _last_good(checkpoint: Path) -> Metric | None:
    """BLEU, when reloaded, of the newest verified checkpoint before this one."""
    step = step_in_name(checkpoint)
    for other in reversed(list_checkpoints(checkpoint.absolute().parent)):
        if step is not None and (step_in_name(other) or 0) < step and (mark := stated_mark(other)):
            return mark.bleu
    return None


def _run_of(checkpoint: Path, runs: Sequence[Run]) -> Run | None:
    """The recorded run that the checkpoint's evidence or one of its parent folders names."""
    known = {run.id: run for run in runs}
    with suppress(LedgerError):
        evidence = read_evidence(checkpoint)
        if evidence and evidence.snapshot.origin.run:
            return known.get(evidence.snapshot.origin.run)
    return next((known[part] for part in reversed(checkpoint.resolve().parts) if part in known), None)


def _stated_limits(run: Run | None) -> Mapping[str, Json] | None:
    guards = run.spec.get("guards") if run else None
    return (guards or {}).get("training_limits")


def _environment(workspace: Workspace | None, run: Run | None, request: VerifyRequest) -> Environment:
    """The environment to reload in, checked against its own lockfile or else the run's, so that its digest is
    comparable with the run's."""
    name = request.lockfile or (run.lockfile_name if run else None)
    return capture(request.interpreter, _lockfiles(workspace, str(name)) if name else [])


def _stamps(checkpoint: Path) -> dict[str, tuple[int, int, int]]:
    """Inode, size and time of every file, without the ledger's own."""
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
