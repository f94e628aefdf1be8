"""`ledger run EXP` for a forecasting: preflight, train, verify each save beside it, guard, record.

The loop, the saves and their verdicts are those of `ledger.commands.run.training.train`; its own are the
series, the parent that it is held against, and the correlation of each time frame.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from math import isfinite

from ledger.commands.reporter import Reporter
from ledger.commands.run.plan import (
    RunRequest,
    failures_recorded,
    make_plan,
    nothing_left_of_a_new_run,
    resolve_environment,
    resumable,
    started,
)
from ledger.commands.run.preflight import allow
from ledger.commands.run.recorder import Recorder, new_run_id
from ledger.commands.run.training.forecasting_checks import (
    family_of_news,
    family_of_run,
    inspect_family,
    inspect_plan,
    metrics_of,
    parent_run,
    record_family,
)
from ledger.commands.run.training.forecasting_inputs import (
    ForecastingInputs,
    ForecastingPlan,
    disk_need,
    make_job,
    read_forecasting_inputs,
)
from ledger.commands.run.training.loop import TrainingLoop
from ledger.commands.run.training.train import TrainingOutcome, finished, guard_saves, resume_from, setting_of
from ledger.errors import LedgerError, RunFailedError
from ledger.evidence.metrics import MetricFamily
from ledger.findings import Json, Report, Verdict
from ledger.journal.loss_log import write_series
from ledger.journal.runs import load_runs
from ledger.specs import ForecastingSpec
from ledger.workspace import Workspace
from runners.host.training import FamilyMeasurement, ForecastJob, TrainingFailedError, TrainingResult
from runners.host.worker_process import Worker


def run_forecasting(
    workspace: Workspace, request: RunRequest, spec: ForecastingSpec, voice: Reporter
) -> TrainingOutcome:
    """Train, or refuse to; the outcome's report holds every finding from preflight on.

    Raises LedgerError when it cannot be done or finished. What had been started is then on the record as
    failed or interrupted, and `resume` goes on from its newest verified checkpoint.
    """
    inputs = _read(workspace, request, spec, voice)
    plan = make_plan(workspace, request, spec, inputs)
    need = disk_need(spec, rehearsal=request.rehearse)
    plan, before = resolve_environment(plan, need, spec.model.name or "", spec.task, voice)
    run = resumable(plan) if request.resume else new_run_id(spec.name)
    rows = {frame: len(values) for frame, values in inputs.series.items()}
    before += allow(inspect_plan(workspace, spec, request, plan.runs, rows), request.allow)
    voice.preflight(before)
    if before.verdict is Verdict.FAIL:
        return TrainingOutcome(spec.name, request.mode, before)
    with (
        Recorder(workspace, request.mode, spec.name, run, warn=voice.say) as recorder,
        Worker(plan.python, recorder.folder / "worker.log") as worker,
    ):
        with nothing_left_of_a_new_run(plan, recorder):
            job = make_job(plan, run, recorder.folder)
        recorder.environment(plan.environment)
        recorder.started(started(plan, before))
        with failures_recorded(recorder, voice):
            if request.resume:
                job = replace(job, resume=resume_from(plan, recorder, voice.say))
            if request.rehearse:
                voice.say("rehearsing with a tiny T5 encoder and a made series, on this machine's CPU")
            loop = TrainingLoop(worker, job, setting_of(plan, run), recorder, voice)
            return _train(plan, before, loop, job, recorder)


def _read(
    workspace: Workspace, request: RunRequest, spec: ForecastingSpec, voice: Reporter
) -> ForecastingInputs:
    """The series. Where they cannot be read, what is wrong with the plan itself is told all the same."""
    try:
        return read_forecasting_inputs(spec, workspace, rehearsal=request.rehearse)
    except LedgerError:
        runs = [run for run in load_runs(workspace) if run.mode == request.mode]
        voice.preflight(inspect_plan(workspace, spec, request, runs, {}))
        raise


def _train(
    plan: ForecastingPlan, before: Report, loop: TrainingLoop, job: ForecastJob, recorder: Recorder
) -> TrainingOutcome:
    began = time.monotonic()
    try:
        trained = loop.run(stop_on_fail=plan.spec.on_fail == "stop")
    except TrainingFailedError as error:
        report = guard_saves(plan, loop, error.failure)
        raise RunFailedError(error.message, hint=error.hint, run=recorder.run, report=report) from error
    loop.tidy()
    rehearsal = plan.request.rehearse
    parent = None if rehearsal else family_of_run(parent_run(plan.spec, plan.runs))
    family = _family(loop.families, recorder.run, plan.spec, job.window)
    report = guard_saves(plan, loop)
    if family is not None:
        report += inspect_family(family, parent, plan.spec, rehearsal=rehearsal)
    outcome = TrainingOutcome(
        experiment=plan.spec.name,
        mode=plan.request.mode,
        report=before + report,
        run=recorder.run,
        output=job.folder,
        checkpoints=tuple(loop.checkpoints),
        stopped=trained.stopped,
        seconds=time.monotonic() - began,
    )
    recorded = _recorded(outcome, report, trained, loop, recorder)
    recorded |= _measured(family, parent)
    recorder.finished(recorded)
    return replace(outcome, recorded=recorded)


def _family(
    told: list[FamilyMeasurement], run: str, spec: ForecastingSpec, window: int
) -> MetricFamily | None:
    """The last validation's; None where the training ended before its first."""
    return family_of_news(told[-1], run, spec, window) if told else None


def _measured(family: MetricFamily | None, parent: MetricFamily | None) -> dict[str, Json]:
    if family is None:
        return {}
    metrics = {name: asdict(metric) for name, metric in metrics_of(family).items()}
    return {"metrics": metrics, "family": record_family(family, parent)}


def _recorded(
    outcome: TrainingOutcome, report: Report, trained: TrainingResult, loop: TrainingLoop, recorder: Recorder
) -> dict[str, Json]:
    series = write_series(recorder.folder, loop.points)
    curve = [{"step": one.step, **_finite(one.values)} for one in loop.families]
    facts = finished(outcome, report, trained, loop.job, recorder)
    return {**facts, "series": series, "family_curve": curve}


def _finite(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: value if isfinite(value) else None for name, value in values.items()}
