"""Generation: `task: generation`: translate a text, guard the output, record it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from guards import registry
from guards.guard import inspect
from guards.text import length_limit, truncated_source
from guards.text.scan import sample_line
from ledger.commands.check import inspect_output
from ledger.commands.reporter import Reporter
from ledger.commands.run.generation_inputs import GenerationInputs, read_generation_inputs
from ledger.commands.run.limits import max_rates, score_limits
from ledger.commands.run.plan import Plan, RunRequest
from ledger.commands.run.preflight import inspect_languages
from ledger.commands.run.redo import merge, write_reached
from ledger.commands.run.rehearsal_model import rehearsal_model, tiny_model
from ledger.commands.run.task import ActiveRun, Outcome, Task
from ledger.evaluation.line_statistics import LineStatistics
from ledger.evaluation.sacrebleu_metrics import load_metrics
from ledger.evaluation.scoring import scores_of
from ledger.evaluation.significance import intervals
from ledger.evidence import Evidence
from ledger.evidence.preflight import DiskNeed
from ledger.evidence.scores import Scores
from ledger.evidence.text import Flagged, LineSample, TextEvidence
from ledger.findings import Json, Report
from ledger.models.catalog import parameters
from ledger.specs import GenerationSpec
from ledger.utils.hashing import digest_file
from ledger.utils.textfiles import read_lines, write_lines_atomically
from ledger.workspace import Workspace
from runners.host.generation import GenerationJob, GenerationResult, generate, probe
from runners.resources.disk import model_need, rehearsal_need

SAMPLES = 20
FLAGGED_SAMPLES = 5
GenerationPlan = Plan[GenerationSpec, GenerationInputs]
Active = ActiveRun[GenerationSpec, GenerationInputs]


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationOutcome(Outcome):
    """The outcome of a generation.

    `intervals` are those of BLEU and chrF++; `samples` are lines spread evenly over the output; `reference`
    is the whole reference, if there is one.
    """

    scores: Scores | None = None
    intervals: tuple[tuple[float, float], ...] = ()
    text: TextEvidence | None = None
    samples: tuple[LineSample, ...] = ()
    reference: tuple[str, ...] = ()


def _read(spec: GenerationSpec, workspace: Workspace, request: RunRequest, _: Reporter) -> GenerationInputs:
    # What is wrong with the settings or the installation is said now rather than after the run.
    max_rates(spec, workspace)
    if spec.data.reference is not None:
        load_metrics(spec.languages.target)
    return read_generation_inputs(spec, workspace, rehearsal=request.rehearse)


def _disk_need(spec: GenerationSpec, rehearsal: bool) -> DiskNeed:
    return rehearsal_need() if rehearsal else model_need(spec.model.name, parameters(spec.model.name))


def _make_job(active: Active) -> GenerationJob:
    """The worker's job: with the spec's model, or in a rehearsal with a tiny one of its family."""
    plan, folder = active.plan, active.recorder.folder
    spec, inputs = plan.spec, plan.inputs
    model, dtype, device = spec.model.name, spec.model.dtype, spec.device
    output, source, lines = plan.workspace.root / spec.output, inputs.source_path, inputs.source
    if (plan.workspace.root / model).is_dir():
        model = str(plan.workspace.root / model)
    if plan.request.rehearse:
        family = rehearsal_model(spec.name, spec.model)
        model = str(tiny_model(plan, *family, active.worker, active.reporter))
        output, dtype, device = folder / f"output.{spec.languages.target}", "float32", "cpu"
    if inputs.redo:
        output, lines = folder / f"redone.{spec.languages.target}", [lines[n] for n in inputs.redo.lines]
    if inputs.redo or plan.request.rehearse:
        source = folder / f"source.{spec.languages.source}"
        write_lines_atomically(source, lines)
    if plan.request.rehearse:
        write_lines_atomically(folder / f"reference.{spec.languages.target}", inputs.reference or ())
    return GenerationJob(
        model=model,
        revision=spec.model.revision,
        source=source,
        lines=len(lines),
        output=output,
        failure_marker=spec.failure_marker,
        source_code=spec.codes.source,
        target_code=spec.codes.target,
        source_language=spec.languages.source,
        target_language=spec.languages.target,
        generation=spec.generation.parameters(),
        family=spec.model.family,
        batch_size=spec.generation.batch_size,
        max_source_length=spec.generation.max_source_length,
        dtype=dtype,
        device=device,
        seed=spec.seed,
    )


def _inspect_languages(active: Active, job: GenerationJob) -> Report:
    return inspect_languages(active.plan.spec.codes, probe(active.worker, job))


def _execute(active: Active, job: GenerationJob, before: Report) -> GenerationOutcome:
    """Translate, guard the output as it is on disk, and record both."""
    recorder = active.recorder
    with active.reporter.progress("sentences") as on_progress:
        result = generate(active.worker, job, recorder.folder, on_progress, active.reporter.say)
    redone: dict[str, Json] = {}
    if redo := active.plan.inputs.redo:
        result, redone = merge(redo, result, active)
    write_reached(recorder.folder, result)
    lines = read_lines(result.output)
    outcome, report = _guard(active, before, result, lines)
    output = {"path": recorder.shown(result.output), "lines": len(lines), **digest_file(result.output)}
    recorded = {**_finished(outcome, report, result, output, _metrics(outcome)), **redone}
    recorder.finished(recorded, outcome.samples)
    return replace(outcome, recorded=recorded)


def _guard(
    active: Active, before: Report, result: GenerationResult, lines: Sequence[str]
) -> tuple[GenerationOutcome, Report]:
    """The outcome, and the findings about the output alone."""
    plan, language = active.plan, active.plan.spec.languages.target
    reference = plan.inputs.reference
    statistics = LineStatistics.extract(lines, (reference,), language) if reference and lines else None
    report, text, scores = inspect_output(
        lines,
        source=plan.inputs.source,
        reference=reference,
        language=language,
        markers=[plan.spec.failure_marker],
        max_rate=max_rates(plan.spec, plan.workspace),
        score_limits=score_limits(plan.spec, rehearsal=plan.request.rehearse),
        scores=scores_of(statistics) if statistics else None,
        generated={
            length_limit.CODE: _flagged(result.unfinished, lines, plan.inputs.source),
            truncated_source.CODE: _flagged(result.truncated, lines, plan.inputs.source),
        },
    )
    digests = digest_file(result.output)
    identity = plan.identity(active.recorder.run, {"md5": digests["md5"], "sha256": digests["sha256"]})
    report += inspect(registry.IDENTITY, Evidence(plan.history), Evidence(identity))
    outcome = GenerationOutcome(
        experiment=plan.spec.name,
        mode=plan.request.mode,
        report=before + report,
        run=active.recorder.run,
        output=result.output,
        scores=scores if isinstance(scores, Scores) else None,
        intervals=intervals(statistics) if statistics else (),
        text=text,
        samples=_samples(lines, plan.inputs.source),
        reference=tuple(plan.inputs.reference or ()),
        seconds=result.seconds,
    )
    return outcome, report


def _finished(
    outcome: GenerationOutcome,
    report: Report,
    result: GenerationResult,
    output: dict[str, Json],
    metrics: dict[str, Json],
) -> dict[str, Json]:
    return {
        "seconds": round(result.seconds, 3),
        "output": output,
        "metrics": metrics,
        "rates": outcome.text.rates if outcome.text else {},
        "failed_lines": result.failed,
        "unfinished_lines": len(result.unfinished),
        "truncated_sources": len(result.truncated),
        "effective": dict(result.effective),
        "batch_sizes": list(result.batch_sizes),
        "halved_batches": result.halved,
        "imported": list(result.imported),
        "notices": list(result.notices),
        "report": report.to_json(),
        "verdict": str(outcome.report.verdict),
    }


def _metrics(outcome: GenerationOutcome) -> dict[str, Json]:
    """The scores, and for BLEU and chrF++ their confidence intervals."""
    scores = outcome.scores
    if scores is None:
        return {}
    bleu, chrf = outcome.intervals
    signature = scores.bleu.signature
    ratio = scores.output_tokens / scores.reference_tokens if scores.reference_tokens else 0.0
    return {
        "bleu": {**asdict(scores.bleu), "interval": list(bleu)},
        "chrf": {**asdict(scores.chrf), "interval": list(chrf)},
        "brevity_penalty": {"value": scores.brevity_penalty, "signature": signature, "scale": [0.0, 1.0]},
        "token_ratio": {"value": ratio, "signature": signature, "scale": [0.0, None]},
    }


def _flagged(found: Sequence[int], lines: Sequence[str], source: Sequence[str]) -> Flagged:
    """Lines that the generation itself reports, with a few as samples."""
    return Flagged(len(found), tuple(sample_line(index, lines, source) for index in found[:FLAGGED_SAMPLES]))


def _samples(lines: Sequence[str], source: Sequence[str]) -> tuple[LineSample, ...]:
    step = max(1, len(lines) // SAMPLES)
    return tuple(LineSample(n + 1, lines[n], source[n]) for n in range(0, len(lines), step))[:SAMPLES]


GENERATION = Task(
    read=_read,
    disk_need=_disk_need,
    make_job=_make_job,
    inspect_languages=_inspect_languages,
    execute=_execute,
    outcome=GenerationOutcome,
)
