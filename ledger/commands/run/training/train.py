"""`ledger run EXP` for a training: preflight, train, verify each save beside it, guard, record.

Real runs and rehearsals take the same path; they differ in what goes in
(`ledger.commands.run.training.inputs`), and in the journal that holds them.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from shutil import rmtree
from typing import Any

from guards import registry
from guards.guard import inspect
from ledger.checkpoints.folders import list_checkpoints
from ledger.checkpoints.provenance import step_in_name, tokenizer_digest
from ledger.commands.reporter import Reporter
from ledger.commands.run.limits import score_limits, training_limits
from ledger.commands.run.plan import (
    Plan,
    RunRequest,
    discard_a_new_run,
    failures_recorded,
    make_plan,
    nothing_left_of_a_new_run,
    resolve_environment,
    resumable,
    started,
)
from ledger.commands.run.preflight import LANGUAGES, allow, inspect_languages
from ledger.commands.run.recorder import Mode, Recorder, new_run_id
from ledger.commands.run.rehearsal_model import rehearsal_model, tiny_model
from ledger.commands.run.training.checks import inspect_defaults, inspect_plan, inspect_series
from ledger.commands.run.training.inputs import (
    TrainingPlan,
    disk_need,
    make_job,
    output_folder,
    read_training_inputs,
)
from ledger.commands.run.training.loop import Checkpoint, TrainingLoop
from ledger.commands.verify.background import newest_of
from ledger.commands.verify.values import VerificationContext
from ledger.errors import RunFailedError
from ledger.evaluation.scoring import score
from ledger.evidence import Evidence, Unobserved
from ledger.evidence.scores import Scores
from ledger.evidence.training import TrainingFailure
from ledger.findings import Finding, Json, Report, Severity, Skip, Verdict
from ledger.journal.loss_log import write_series
from ledger.journal.runs import find, load_runs
from ledger.specs import TrainingSpec
from ledger.workspace import Workspace
from runners.host.training import Job, TrainingFailedError, TrainingJob, TrainingResult, probe, snapshots_in
from runners.host.worker_process import Worker

FEW_LINES = "a save's sample is 32 lines: they tell a collapse (CKP010), and nothing finer"
UNVERIFIED = "unverified-"


@dataclass(frozen=True, slots=True)
class TrainingOutcome:
    """What came of it. `run` is None when preflight refused and nothing was recorded.

    `checkpoints` are those that this process saved, by step; `stopped`: it ended before its last step.
    """

    experiment: str
    mode: Mode
    report: Report
    run: str | None = None
    output: Path | None = None
    checkpoints: tuple[Checkpoint, ...] = ()
    stopped: bool = False
    seconds: float = 0.0
    recorded: Mapping[str, Json] = field(default_factory=dict)


def run_training(
    workspace: Workspace, request: RunRequest, spec: TrainingSpec, voice: Reporter
) -> TrainingOutcome:
    """Train, or refuse to; the outcome's report holds every finding from preflight on.

    Raises LedgerError when it cannot be done or finished. What had been started is then on the record as
    failed or interrupted, and `resume` goes on from its newest verified checkpoint.
    """
    inputs = read_training_inputs(spec, workspace, rehearsal=request.rehearse)
    plan = make_plan(workspace, request, spec, inputs)
    need = disk_need(spec, rehearsal=request.rehearse)
    plan, before = resolve_environment(plan, need, spec.model.name or "", spec.task, voice)
    run = resumable(plan) if request.resume else new_run_id(spec.name)
    before += allow(inspect_plan(plan), request.allow)
    voice.preflight(before)
    if before.verdict is Verdict.FAIL:
        return TrainingOutcome(spec.name, request.mode, before)
    with (
        Recorder(workspace, request.mode, spec.name, run, warn=voice.say) as recorder,
        Worker(plan.python, recorder.folder / "worker.log") as worker,
    ):
        with nothing_left_of_a_new_run(plan, recorder):
            job = _job(plan, recorder, worker, voice)
            languages = _inspect_languages(plan, job, worker, voice)
        before += languages
        if languages.verdict is Verdict.FAIL:
            voice.preflight(languages)
            discard_a_new_run(plan, recorder)
            return TrainingOutcome(spec.name, request.mode, before)
        recorder.environment(plan.environment)
        recorder.started(started(plan, before))
        with failures_recorded(recorder, voice):
            if request.resume:
                job = replace(job, resume=resume_from(plan, recorder, voice.say))
            loop = TrainingLoop(worker, job, setting_of(plan, run), recorder, voice)
            return _train(plan, before, loop, recorder)


def _job(plan: TrainingPlan, recorder: Recorder, worker: Worker, voice: Reporter) -> TrainingJob:
    """What the worker is asked to do; a fine-tuning is rehearsed with a tiny model of the family."""
    tiny, model = None, plan.spec.model
    if plan.request.rehearse and model.name is not None:
        tiny = tiny_model(plan, *rehearsal_model(plan.spec.name, model), worker, voice)
    return make_job(plan, recorder.run, recorder.folder, tiny)


def _inspect_languages(plan: TrainingPlan, job: TrainingJob, worker: Worker, voice: Reporter) -> Report:
    """PRE002, by the tokenizer that will be trained with."""
    codes = plan.spec.codes
    if codes.source is None and codes.target is None:
        return Report(skips=(Skip(LANGUAGES, "the spec names no language codes"),))
    with voice.progress("steps") as on_progress:
        return allow(inspect_languages(codes, probe(worker, job, on_progress)), plan.request.allow)


def _train(plan: TrainingPlan, before: Report, loop: TrainingLoop, recorder: Recorder) -> TrainingOutcome:
    began = time.monotonic()
    try:
        trained = loop.run(stop_on_fail=plan.spec.on_fail == "stop")
    except TrainingFailedError as error:
        report = guard_saves(plan, loop, error.failure)
        raise RunFailedError(error.message, hint=error.hint, run=recorder.run, report=report) from error
    loop.tidy()
    report = _guard(plan, loop) + inspect_defaults(plan, trained.effective)
    outcome = TrainingOutcome(
        experiment=plan.spec.name,
        mode=plan.request.mode,
        report=before + report,
        run=recorder.run,
        output=loop.job.folder,
        checkpoints=tuple(loop.checkpoints),
        stopped=trained.stopped,
        seconds=time.monotonic() - began,
    )
    series = write_series(recorder.folder, loop.points)
    recorded = {**finished(outcome, report, trained, loop.job, recorder), "series": series}
    recorder.finished(recorded)
    return replace(outcome, recorded=recorded)


def setting_of(plan: Plan[Any, Any], run: str) -> VerificationContext:
    """Saves are reloaded in the environment that trains, on the CPU: the device is the training's."""
    runs = tuple(load_runs(plan.workspace))
    return VerificationContext(plan.workspace, plan.environment, runs=runs, run=find(runs, run), health=None)


def resume_from(plan: Plan[Any, Any], recorder: Recorder, say: Callable[[str], None]) -> Path | None:
    """The newest verified checkpoint. Later saves, which nobody verified, get another name."""
    folder = output_folder(plan, recorder.run, recorder.folder)
    newest = newest_of(folder, snapshots_in(recorder.folder))
    last = step_in_name(newest) if newest else None
    for place in (folder, snapshots_in(recorder.folder)):
        for path in list_checkpoints(place):
            if last is None or (step_in_name(path) or 0) > last:
                rmtree(place / (UNVERIFIED + path.name), ignore_errors=True)
                path.rename(place / (UNVERIFIED + path.name))
                say(f"{path.name} was never verified: set aside as {UNVERIFIED}{path.name}")
    if newest is None:
        say("no checkpoint of it was verified: it starts from the beginning")
    else:
        say(f"going on from {newest.name}, the newest verified checkpoint")
    return newest


def guard_saves(plan: Plan[Any, Any], loop: TrainingLoop, failure: TrainingFailure | None = None) -> Report:
    """Every save's findings, and the health of the training as far as it went."""
    limits = training_limits(plan.workspace, plan.spec.guards.training_limits)
    saves = gather(loop.checkpoints, warn_only=plan.spec.on_fail == "warn")
    return saves + inspect_series(loop.points, limits, failure)


def _guard(plan: TrainingPlan, loop: TrainingLoop) -> Report:
    """The saves, the training, and in a rehearsal the score of the last save."""
    report = guard_saves(plan, loop)
    sample = loop.checkpoints[-1].sample if loop.checkpoints else None
    limits = score_limits(plan.spec, rehearsal=plan.request.rehearse)
    if plan.request.rehearse and sample and sample.reference:
        measured = score(sample.output, sample.reference, plan.spec.languages.target)
        return report + inspect(registry.SCORES, Evidence(limits), Evidence(measured))
    unscored = Evidence().including(Scores, Unobserved(FEW_LINES))
    return report + inspect(registry.SCORES, Evidence(limits), unscored)


def gather(checkpoints: Sequence[Checkpoint], *, warn_only: bool) -> Report:
    """The reports of all saves as one. Errors stand with their checkpoint; of the rest each code's last."""
    if not checkpoints:
        return Report(skips=(Skip("CKP001", "the training saved no checkpoint", required=True),))
    found = list(_findings(checkpoints, warn_only=warn_only))
    codes = {finding.code for finding in found}
    last = checkpoints[-1].report
    unseen = {skip.code: skip for one in checkpoints for skip in one.report.skips if skip.required}
    skips = {**{skip.code: skip for skip in last.skips}, **unseen}
    return Report(
        findings=tuple(found),
        skips=tuple(skip for code, skip in skips.items() if code not in codes),
        passed=tuple(code for code in last.passed if code not in codes and code not in unseen),
    )


def _findings(checkpoints: Sequence[Checkpoint], *, warn_only: bool) -> Iterator[Finding]:
    lesser: dict[str, Finding] = {}
    for one in checkpoints:
        for finding in one.report.findings:
            named = replace(finding, message=f"{one.folder.name}: {finding.message}")
            if finding.severity < Severity.ERROR:
                lesser[finding.code] = named
            else:
                yield replace(named, severity=Severity.WARNING) if warn_only else named
    yield from lesser.values()


def finished(
    outcome: TrainingOutcome, report: Report, trained: TrainingResult, job: Job, recorder: Recorder
) -> dict[str, Json]:
    """How a training ended, as the journal has it."""
    last = next((one for one in reversed(outcome.checkpoints) if one.marked), None)
    scores = {"bleu": last.reloaded, "bleu_memory": last.memory} if last else {}
    saved = [one.folder for one in outcome.checkpoints if one.folder.is_dir()]
    return {
        "seconds": round(outcome.seconds, 3),
        "output": {"path": recorder.shown(job.folder)},
        "metrics": {name: asdict(metric) for name, metric in scores.items() if metric},
        "last_step": trained.last_step,
        "stopped": trained.stopped,
        "resumed_from": recorder.shown(job.resume) if job.resume else None,
        "parameters": trained.parameters,
        "tokenizer_digest": tokenizer_digest(saved[-1]) if saved else None,
        "checkpoints": [row(one, recorder) for one in outcome.checkpoints],
        "effective": dict(trained.effective),
        "imported": list(trained.imported),
        "report": report.to_json(),
        "verdict": str(outcome.report.verdict),
    }


def row(one: Checkpoint, recorder: Recorder) -> dict[str, Json]:
    """A save as the journal has it."""
    return {
        "step": one.step,
        "path": recorder.shown(one.folder),
        "memory": one.memory.value if one.memory else None,
        "reloaded": one.reloaded.value if one.reloaded else None,
        "verdict": str(one.verdict),
        "marked": one.marked,
        "tensors": one.tensors,
        "save_seconds": one.save_seconds,
        "evidence_seconds": one.evidence_seconds,
    }
