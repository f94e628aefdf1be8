"""What the two tasks that train have in common: one worker trains, another verifies each checkpoint."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import rmtree
from typing import Any, TypeVar

from ledger.checkpoints.folders import list_checkpoints
from ledger.checkpoints.provenance import step_in_name, tokenizer_digest
from ledger.commands.reporter import Reporter
from ledger.commands.run.checkpoint import CODE, Checkpoint, combine_reports, sample_metrics
from ledger.commands.run.limits import training_limits
from ledger.commands.run.monitor import CheckpointMonitor, Ended, Event
from ledger.commands.run.plan import InputsT, Plan
from ledger.commands.run.recorder import Recorder
from ledger.commands.run.task import ActiveRun, Outcome
from ledger.commands.run.training.checks import inspect_series
from ledger.commands.run.training.inputs import output_folder
from ledger.commands.run.training_health import inspect_identity, training_identity
from ledger.commands.verify.background import newest_verified_in
from ledger.display.progress import Progress
from ledger.errors import RunFailedError
from ledger.evidence.training import TrainingFailure
from ledger.findings import Json, Report, Skip
from ledger.journal.loss_log import write_series
from ledger.specs import ForecastingSpec, TrainingSpec
from runners.host.attachment import AttachedEvent
from runners.host.training import Job, TrainingEvent, TrainingFailedError, snapshots_in, train
from runners.host.worker_process import Worker
from runners.worker.messages import SavedCheckpoint, TrainingResult

UNVERIFIED = "unverified-"
TrainedSpecT = TypeVar("TrainedSpecT", TrainingSpec, ForecastingSpec)
JobT = TypeVar("JobT", bound=Job)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOutcome(Outcome):
    """The outcome of a training. `stopped`: it ended before its last step.

    `checkpoints` are those that this process saved, by step.
    """

    checkpoints: tuple[Checkpoint, ...] = ()
    stopped: bool = False


Active = ActiveRun[TrainedSpecT, InputsT]
Inspection = Callable[
    [Active[TrainedSpecT, InputsT], CheckpointMonitor, TrainingResult], tuple[Report, dict[str, Json]]
]


def execute(
    active: ActiveRun[TrainedSpecT, InputsT],
    job: JobT,
    before: Report,
    *,
    inspect_result: Inspection[TrainedSpecT, InputsT],
) -> TrainingOutcome:
    """Train and verify every checkpoint. Raises LedgerError for what ended the training early.

    The checkpoints saved until then are verified all the same: `--resume` starts from the newest.
    `inspect_result` gives the findings that only this task has, and what it adds to the record.
    """
    began = time.monotonic()
    plan, recorder, reporter = active.plan, active.recorder, active.reporter
    if plan.request.resume:
        job = replace(job, resume=prepare_resume(plan, recorder, reporter.say))
    environments = {active.worker.interpreter: plan.environment}
    monitor = CheckpointMonitor(
        recorder,
        reporter.say,
        environments,
        stop_on_fail=plan.spec.on_fail == "stop",
        limits=training_limits(plan.workspace, plan.spec.guards.training_limits),
        tell=reporter.checkpoint,
    )
    source = WorkerSource(monitor, active.worker, job, reporter)
    monitor.run(source)
    try:
        result = source.result()
    except TrainingFailedError as error:
        report = _inspect(plan, monitor, error.failure)
        raise RunFailedError(error.message, hint=error.hint, run=recorder.run, report=report) from error
    source.remove_spare_snapshots()
    own_report, own_record = inspect_result(active, monitor, result)
    report = _inspect(plan, monitor, resumed=job.resume) + own_report
    if not plan.request.rehearse:  # tiny models of two specs may well be trained alike
        identity = training_identity(recorder.run, plan.spec.name, monitor.points, plan.spec.digested())
        report += inspect_identity(identity, (run.training_identity() for run in plan.runs))
    outcome = TrainingOutcome(
        experiment=plan.spec.name,
        mode=plan.request.mode,
        report=before + report,
        run=recorder.run,
        output=job.folder,
        checkpoints=tuple(monitor.checkpoints),
        stopped=result.stopped,
        seconds=time.monotonic() - began,
    )
    series = write_series(recorder.folder, monitor.points)
    recorded = {**_finished(outcome, report, result, job, recorder), "series": series, **own_record}
    recorder.finished(recorded)
    return replace(outcome, recorded=recorded)


class WorkerSource:
    """A training in our own worker, as a source of events for the monitor."""

    survives_interrupt = False  # leaving `reporting` ends the worker
    is_filtered = False  # see runners.worker.training.callback

    def __init__(self, monitor: CheckpointMonitor, worker: Worker, job: Job, reporter: Reporter) -> None:
        self._monitor, self._worker, self._job, self._reporter = monitor, worker, job, reporter
        self._on_progress: Callable[[Progress], None]
        self._training: Future[TrainingResult]

    @contextmanager
    def reporting(self, post: Callable[[Event], None]) -> Iterator[None]:
        """Train in a thread until the context is left."""
        self._monitor.prepare(self._worker.interpreter)
        with (
            ThreadPoolExecutor(1) as pool,
            closing(self._worker),  # else the pool would wait for the end of an interrupted training
            self._reporter.progress("steps") as self._on_progress,
        ):
            self._training = pool.submit(train, self._worker, self._job, post)
            self._training.add_done_callback(lambda _: post(Ended()))
            yield

    def handle(self, event: TrainingEvent | AttachedEvent | Ended) -> None:
        """Show progress and notices; have checkpoints verified."""
        match event:
            case Progress():
                self._on_progress(self._monitor.note_progress(event))
            case SavedCheckpoint():
                self._monitor.verify(event, self._worker.interpreter)
            case str():
                self._reporter.say(event)

    def stop(self) -> bool:
        """Ask the training to end at its next step."""
        self._job.stop_file.touch()
        return True

    def result(self) -> TrainingResult:
        """The result of the finished training. Raises TrainingFailedError where it ended early."""
        return self._training.result()

    def remove_spare_snapshots(self) -> None:
        """Remove the snapshots of checkpoints that still exist."""
        for snapshot in list_checkpoints(self._job.snapshots):
            if (self._job.folder / snapshot.name).is_dir():
                rmtree(snapshot, ignore_errors=True)
        with suppress(OSError):
            self._job.snapshots.rmdir()


def prepare_resume(plan: Plan[Any, Any], recorder: Recorder, say: Callable[[str], None]) -> Path | None:
    """The newest verified checkpoint. Later ones, which were not verified that far, are renamed."""
    folder, snapshots, level = (
        output_folder(plan, recorder),
        snapshots_in(recorder.folder),
        plan.request.level,
    )
    newest = newest_verified_in(folder, snapshots, level=level)
    verified = f"verified on the level {level}" if level else "verified"
    last = step_in_name(newest) if newest else None
    for place in (folder, snapshots):
        for path in list_checkpoints(place):
            step = step_in_name(path) or 0
            if last is None or step > last:
                rmtree(place / (UNVERIFIED + path.name), ignore_errors=True)
                path.rename(place / (UNVERIFIED + path.name))
                say(f"{path.name} was never {verified}; renamed to {UNVERIFIED}{path.name}")
            elif place == snapshots and step < last:
                rmtree(path, ignore_errors=True)
    if newest is None:
        say(f"no checkpoint of this run was {verified}: starting from the beginning")
    else:
        say(f"resuming from {newest.name}, the newest checkpoint that was {verified}")
    return newest


def _inspect(
    plan: Plan[Any, Any],
    monitor: CheckpointMonitor,
    failure: TrainingFailure | None = None,
    resumed: Path | None = None,
) -> Report:
    """The findings of all checkpoints, and the health of the training as far as it went.

    A run that was killed after its last checkpoint was verified has nothing left to train when it is resumed.
    """
    limits = training_limits(plan.workspace, plan.spec.guards.training_limits)
    if resumed and not monitor.checkpoints:
        reason = f"nothing was left to train after {resumed.name}, which was verified before"
        checkpoints = Report(skips=(Skip(CODE, reason),))
    else:
        checkpoints = combine_reports(monitor.checkpoints, warn_only=plan.spec.on_fail == "warn")
    stated = plan.spec.digested().get("training", {})
    series = inspect_series(monitor.points, limits, failure, monitor.evaluations, stated)
    return checkpoints + series


def _finished(
    outcome: TrainingOutcome, report: Report, result: TrainingResult, job: Job, recorder: Recorder
) -> dict[str, Json]:
    """The part of the journal's `run.finished` entry that both tasks have."""
    saved = [one.folder for one in outcome.checkpoints if one.folder.is_dir()]
    return {
        "seconds": round(outcome.seconds, 3),
        "output": {"path": recorder.shown(job.folder)},
        "metrics": sample_metrics(outcome.checkpoints),
        "last_step": result.last_step,
        "stopped": result.stopped,
        "resumed_from": recorder.shown(job.resume) if job.resume else None,
        "parameters": result.parameters,
        "tokenizer_digest": tokenizer_digest(saved[-1]) if saved else None,
        "checkpoints": [one.to_json(recorder) for one in outcome.checkpoints],
        "effective": dict(result.effective),
        "imported": list(result.imported),
        "report": report.to_json(),
        "verdict": str(outcome.report.verdict),
    }
