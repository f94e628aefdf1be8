"""Training a translation model: `task: training`."""

from functools import partial

from guards import registry
from guards.guard import inspect
from ledger.commands.reporter import Reporter
from ledger.commands.run.limits import score_limits
from ledger.commands.run.monitor import CheckpointMonitor
from ledger.commands.run.plan import RunRequest
from ledger.commands.run.preflight import LANGUAGES, inspect_languages
from ledger.commands.run.rehearsal_model import rehearsal_model, tiny_model
from ledger.commands.run.task import ActiveRun, Task
from ledger.commands.run.training.checks import inspect_defaults, inspect_plan
from ledger.commands.run.training.inputs import (
    TrainingInputs,
    disk_need,
    make_job,
    read_training_inputs,
)
from ledger.commands.run.training.task import TrainingOutcome, execute
from ledger.evaluation.scoring import score
from ledger.evidence import Evidence, Unobserved
from ledger.evidence.scores import Scores
from ledger.findings import Json, Report, Skip
from ledger.specs import TrainingSpec
from ledger.workspace import Workspace
from runners.host.training import TrainingJob, probe
from runners.worker.messages import TrainingResult

FEW_LINES = "a checkpoint's sample has 32 lines: they show a collapse (CKP010), and nothing finer"
Active = ActiveRun[TrainingSpec, TrainingInputs]


def _read(spec: TrainingSpec, workspace: Workspace, request: RunRequest, _: Reporter) -> TrainingInputs:
    return read_training_inputs(spec, workspace, rehearsal=request.rehearse)


def _make_job(active: Active) -> TrainingJob:
    """The worker's job; a fine-tuning is rehearsed with a tiny model of the same family."""
    plan, tiny, model = active.plan, None, active.plan.spec.model
    if plan.request.rehearse and model.name is not None:
        family = rehearsal_model(plan.spec.name, model)
        tiny = tiny_model(plan, *family, active.worker, active.reporter)
    return make_job(plan, active.recorder, tiny)


def _inspect_languages(active: Active, job: TrainingJob) -> Report:
    codes = active.plan.spec.codes
    if codes.source is None and codes.target is None:
        return Report(skips=(Skip(LANGUAGES, "the spec names no language codes"),))
    with active.reporter.progress("steps") as on_progress:
        return inspect_languages(codes, probe(active.worker, job, on_progress))


def _inspect_result(
    active: Active, monitor: CheckpointMonitor, result: TrainingResult
) -> tuple[Report, dict[str, Json]]:
    """The score of a rehearsal's last checkpoint, and the defaults that the training had (TRN008)."""
    plan = active.plan
    sample = monitor.checkpoints[-1].sample if monitor.checkpoints else None
    limits = score_limits(plan.spec, rehearsal=plan.request.rehearse)
    measured: Scores | Unobserved = Unobserved(FEW_LINES)
    if plan.request.rehearse and sample and sample.reference:
        measured = score(sample.output, sample.reference, plan.spec.languages.target)
    scores = inspect(registry.SCORES, Evidence(limits), Evidence().including(Scores, measured))
    return scores + inspect_defaults(plan, result.effective), {}


TRANSLATION = Task(
    read=_read,
    disk_need=disk_need,
    inspect_plan=inspect_plan,
    make_job=_make_job,
    inspect_languages=_inspect_languages,
    execute=partial(execute, inspect_result=_inspect_result),
    outcome=TrainingOutcome,
)
