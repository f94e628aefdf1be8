"""`ledger run EXP`: the preflight, run, guard and record steps that all tasks share.

Real runs and rehearsals take the same path; they differ in their inputs and in the journal that stores them.
"""

from dataclasses import replace
from functools import partial

from guards import registry
from ledger.commands.reporter import Reporter
from ledger.commands.run import preflight
from ledger.commands.run.generation import GENERATION, GenerationOutcome
from ledger.commands.run.interrupts import interruptible
from ledger.commands.run.plan import (
    AGAIN,
    InputsT,
    RunRequest,
    SpecT,
    discard_new_run,
    discarded_on_failure,
    failures_recorded,
    make_plan,
    resolve_environment,
    resumable,
    started,
)
from ledger.commands.run.recorder import Recorder, new_run_id
from ledger.commands.run.redo import redo_inputs
from ledger.commands.run.rehearsal_languages import substitutes
from ledger.commands.run.task import ActiveRun, JobT, OutcomeT, Task
from ledger.commands.run.training.forecasting import FORECASTING
from ledger.commands.run.training.task import TrainingOutcome
from ledger.commands.run.training.translation import TRANSLATION
from ledger.errors import UsageError
from ledger.findings import Verdict
from ledger.specs import ForecastingSpec, GenerationSpec, TrainingSpec, load_experiment
from ledger.workspace import Workspace
from runners.host.worker_process import Worker

__all__ = ["AGAIN", "GenerationOutcome", "RunOutcome", "RunRequest", "TrainingOutcome", "run_experiment"]

RunOutcome = GenerationOutcome | TrainingOutcome


def run_experiment(workspace: Workspace, request: RunRequest, reporter: Reporter) -> RunOutcome:
    """Run one experiment, or refuse to; the outcome's report has all findings, preflight's included.

    Raises LedgerError if the run cannot start or finish. If it had started, it is recorded as failed or
    interrupted and can be continued with `resume`.
    """
    load = partial(load_experiment, request.experiment, workspace.experiments, rate_codes=registry.rated())
    spec = load(request.overrides)
    if request.rehearse and not isinstance(spec, ForecastingSpec):
        settings, notice = substitutes(spec, workspace)
        if notice:
            reporter.say(f"{spec.name}: {notice}")
        spec = load((*request.overrides, *settings))
    if request.redo is not None and not isinstance(spec, GenerationSpec):
        raise UsageError(f"{spec.name} generates no text", hint="--redo-flagged is for generations")
    with interruptible():
        if isinstance(spec, TrainingSpec):
            return _run(TRANSLATION, workspace, request, spec, reporter)
        if isinstance(spec, ForecastingSpec):
            return _run(FORECASTING, workspace, request, spec, reporter)
        if request.redo is not None:
            again, inputs = redo_inputs(spec, workspace, request)
            return _run(replace(GENERATION, read=lambda *_: inputs), workspace, request, again, reporter)
        return _run(GENERATION, workspace, request, spec, reporter)


def _run(
    task: Task[SpecT, InputsT, JobT, OutcomeT],
    workspace: Workspace,
    request: RunRequest,
    spec: SpecT,
    reporter: Reporter,
) -> OutcomeT:
    plan = make_plan(workspace, request, spec, task.read(spec, workspace, request, reporter))
    plan, before = resolve_environment(plan, task.disk_need(spec, request.rehearse), reporter)
    run = resumable(plan) if request.resume else new_run_id(spec.name)
    before += preflight.allow(task.inspect_plan(plan), request.allow)
    reporter.preflight(before)
    if before.verdict is Verdict.FAIL:
        return task.outcome(experiment=spec.name, mode=request.mode, report=before)
    with (
        Recorder(workspace, request.mode, spec.name, run, warn=reporter.say) as recorder,
        Worker(plan.python, recorder.folder / "worker.log") as worker,
    ):
        active = ActiveRun(plan, recorder, worker, reporter)
        with discarded_on_failure(plan, recorder):
            job = task.make_job(active)
            languages = preflight.allow(task.inspect_languages(active, job), request.allow)
        before += languages
        if languages.verdict is Verdict.FAIL:
            reporter.preflight(languages)
            discard_new_run(plan, recorder)
            return task.outcome(experiment=spec.name, mode=request.mode, report=before)
        recorder.environment(plan.environment)
        recorder.started(started(plan, before))
        with failures_recorded(recorder, reporter):
            return task.execute(active, job, before)
