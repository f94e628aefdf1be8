"""`ledger run EXP`: preflight, run, guard, record.

Real runs and rehearsals take the same path; they differ in what goes in
(`ledger.commands.run.generation_inputs`), and in the journal that holds them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from guards import registry
from guards.guard import inspect
from ledger.commands.check import inspect_output
from ledger.commands.reporter import Reporter
from ledger.commands.run import preflight
from ledger.commands.run.generation_inputs import Inputs, read_inputs
from ledger.commands.run.limits import max_rates, score_limits
from ledger.commands.run.plan import (
    AGAIN,
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
from ledger.commands.run.recorder import Mode, Recorder, new_run_id
from ledger.commands.run.rehearsal_model import rehearsal_model, tiny_model
from ledger.commands.run.training.forecasting import run_forecasting
from ledger.commands.run.training.train import TrainingOutcome, run_training
from ledger.evaluation.significance import intervals
from ledger.evidence import Evidence
from ledger.evidence.scores import Scores
from ledger.evidence.text import LineSample, TextEvidence
from ledger.findings import Json, Report, Verdict
from ledger.models.catalog import parameters
from ledger.specs import ForecastingSpec, GenerationSpec, TrainingSpec, load_experiment
from ledger.utils.hashing import digest_file
from ledger.utils.textfiles import read_lines
from ledger.workspace import Workspace
from runners.host.generation import GenerationJob, GenerationResult, generate, probe
from runners.host.worker_process import Worker
from runners.resources.disk import model_need, rehearsal_need

__all__ = ["AGAIN", "Outcome", "RunRequest", "run_experiment"]

SAMPLES = 20
GenerationPlan = Plan[GenerationSpec, Inputs]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it. `run` is None when preflight refused and nothing was recorded.

    `samples` are lines spread evenly over the output; `reference` is the whole reference, if there is one;
    `recorded` is what the journal's entry says of the end.
    """

    experiment: str
    mode: Mode
    report: Report
    run: str | None = None
    output: Path | None = None
    scores: Scores | None = None
    text: TextEvidence | None = None
    samples: tuple[LineSample, ...] = ()
    reference: tuple[str, ...] = ()
    seconds: float = 0.0
    recorded: Mapping[str, Json] = field(default_factory=dict)


def run_experiment(workspace: Workspace, request: RunRequest, voice: Reporter) -> Outcome | TrainingOutcome:
    """Run one experiment, or refuse to; the outcome's report holds every finding from preflight on.

    Raises LedgerError when it cannot be done at all. What had been started is then on the record as failed
    or interrupted, and `resume` takes it up.
    """
    codes = [guard.CODE for guard in registry.TEXT]
    spec = load_experiment(request.experiment, workspace.experiments, request.overrides, rate_codes=codes)
    if isinstance(spec, TrainingSpec):
        return run_training(workspace, request, spec, voice)
    if isinstance(spec, ForecastingSpec):
        return run_forecasting(workspace, request, spec, voice)
    return _run_generation(workspace, request, spec, voice)


def _run_generation(
    workspace: Workspace, request: RunRequest, spec: GenerationSpec, voice: Reporter
) -> Outcome:
    plan = make_plan(workspace, request, spec, read_inputs(spec, workspace, rehearsal=request.rehearse))
    max_rates(spec, workspace)  # raises now rather than after the run
    name = spec.model.name
    need = rehearsal_need() if request.rehearse else model_need(name, parameters(name))
    plan, before = resolve_environment(plan, need, name, spec.task, voice)
    run = resumable(plan) if request.resume else new_run_id(spec.name)
    voice.preflight(before)
    if before.verdict is Verdict.FAIL:
        return Outcome(spec.name, request.mode, before)
    with Recorder(workspace, request.mode, spec.name, run, warn=voice.say) as recorder:
        log = recorder.folder / "worker.log"
        with Worker(plan.python, log) as worker:
            return _run(plan, before, recorder, worker, voice)


def _run(
    plan: GenerationPlan, before: Report, recorder: Recorder, worker: Worker, voice: Reporter
) -> Outcome:
    with nothing_left_of_a_new_run(plan, recorder):
        job = _job(plan, recorder.folder, worker, voice)
        probed = preflight.inspect_languages(plan.spec.codes, probe(worker, job))
    languages = preflight.allow(probed, plan.request.allow)
    before += languages
    if languages.verdict is Verdict.FAIL:
        voice.preflight(languages)
        discard_a_new_run(plan, recorder)
        return Outcome(plan.spec.name, plan.request.mode, before)
    recorder.environment(plan.environment)
    recorder.started(started(plan, before))
    with failures_recorded(recorder, voice):
        with voice.progress("sentences") as on_progress:
            result = generate(worker, job, recorder.folder, on_progress, voice.say)
        return _guard(plan, before, recorder, result)


def _job(plan: GenerationPlan, folder: Path, worker: Worker, voice: Reporter) -> GenerationJob:
    """What the worker is asked to do: the spec's own model, or in a rehearsal a tiny one of its family."""
    spec, inputs = plan.spec, plan.inputs
    model, dtype, device = spec.model.name, spec.model.dtype, spec.device
    output, source = plan.workspace.root / spec.output, inputs.source_path
    if (plan.workspace.root / model).is_dir():
        model = str(plan.workspace.root / model)
    if plan.request.rehearse:
        model = str(tiny_model(plan, *rehearsal_model(spec.name, spec.model), worker, voice))
        output, dtype, device = folder / f"output.{spec.languages.target}", "float32", "cpu"
        source = folder / f"source.{spec.languages.source}"
        source.write_text("".join(f"{line}\n" for line in inputs.source), encoding="utf-8")
    return GenerationJob(
        model=model,
        revision=spec.model.revision,
        source=source,
        lines=len(inputs.source),
        output=output,
        failure_marker=spec.failure_marker,
        source_code=spec.codes.source,
        target_code=spec.codes.target,
        generation=spec.generation.parameters(),
        family=spec.model.family,
        batch_size=spec.generation.batch_size,
        dtype=dtype,
        device=device,
        seed=spec.seed,
    )


def _guard(plan: GenerationPlan, before: Report, recorder: Recorder, result: GenerationResult) -> Outcome:
    """Read the output back from disk, guard that, and write everything down."""
    lines = read_lines(result.output)
    report, text, scores = inspect_output(
        lines,
        source=plan.inputs.source,
        reference=plan.inputs.reference,
        language=plan.spec.languages.target,
        markers=[plan.spec.failure_marker],
        max_rate=max_rates(plan.spec, plan.workspace),
        score_limits=score_limits(plan.spec, rehearsal=plan.request.rehearse),
    )
    digests = digest_file(result.output)
    identity = plan.identity(recorder.run, {"md5": digests["md5"], "sha256": digests["sha256"]})
    report += inspect(registry.IDENTITY, Evidence(plan.history), Evidence(identity))
    outcome = Outcome(
        experiment=plan.spec.name,
        mode=plan.request.mode,
        report=before + report,
        run=recorder.run,
        output=result.output,
        scores=scores if isinstance(scores, Scores) else None,
        text=text,
        samples=_samples(lines, plan.inputs.source),
        reference=tuple(plan.inputs.reference or ()),
        seconds=result.seconds,
    )
    output = {"path": recorder.shown(result.output), "lines": len(lines), **digests}
    recorded = _finished(outcome, report, result, output, _metrics(outcome, lines, plan))
    recorder.finished(recorded, outcome.samples)
    return replace(outcome, recorded=recorded)


def _finished(
    outcome: Outcome,
    report: Report,
    result: GenerationResult,
    output: dict[str, Json],
    metrics: dict[str, Json],
) -> dict[str, Json]:
    return {
        "seconds": round(result.seconds, 3),
        "output": output,
        "metrics": metrics,
        "rates": _rates(outcome.text),
        "failed_lines": result.failed,
        "effective": dict(result.effective),
        "batch_sizes": list(result.batch_sizes),
        "halved_batches": result.halved,
        "imported": list(result.imported),
        "notices": list(result.notices),
        "report": report.to_json(),
        "verdict": str(outcome.report.verdict),
    }


def _metrics(outcome: Outcome, lines: Sequence[str], plan: GenerationPlan) -> dict[str, Json]:
    """The scores, and for BLEU and chrF++ the interval that says how far chance carries them."""
    scores = outcome.scores
    if scores is None:
        return {}
    bleu, chrf = intervals(lines, outcome.reference, plan.spec.languages.target)
    signature = scores.bleu.signature
    ratio = scores.output_tokens / scores.reference_tokens if scores.reference_tokens else 0.0
    return {
        "bleu": {**asdict(scores.bleu), "interval": list(bleu)},
        "chrf": {**asdict(scores.chrf), "interval": list(chrf)},
        "brevity_penalty": {"value": scores.brevity_penalty, "signature": signature, "scale": [0.0, 1.0]},
        "token_ratio": {"value": ratio, "signature": signature, "scale": [0.0, None]},
    }


def _rates(text: TextEvidence | None) -> dict[str, float]:
    if text is None or not text.lines:
        return {}
    return {code: flagged.count / text.lines for code, flagged in sorted(text.flagged.items())}


def _samples(lines: Sequence[str], source: Sequence[str]) -> tuple[LineSample, ...]:
    step = max(1, len(lines) // SAMPLES)
    return tuple(LineSample(n + 1, lines[n], source[n]) for n in range(0, len(lines), step))[:SAMPLES]
