"""The inputs of a training of a translation model: text, model, and the worker's job.

A real run reads the files that its spec names. A rehearsal takes a small real text and tiny sizes, so that
everything else is the same code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.commands.run.data_files import describe_model, digest_inputs, find_data
from ledger.commands.run.plan import Plan
from ledger.commands.run.recorder import Recorder
from ledger.commands.run.rehearsal_languages import own_text
from ledger.errors import LedgerError
from ledger.evidence.preflight import DiskNeed
from ledger.findings import Json
from ledger.models.catalog import parameters
from ledger.specs import TrainingSpec
from ledger.specs.training import ParallelText
from ledger.utils.hashing import digest_file, digest_json
from ledger.utils.plural import count
from ledger.utils.textfiles import read_lines, write_lines_atomically
from ledger.workspace import Workspace
from runners.host.training import TrainingJob
from runners.rehearsal.model import recipe_digest
from runners.rehearsal.training import PIECES, scaled_arguments, scaled_config, training_text
from runners.resources.disk import RUN_BYTES, rehearsal_need
from runners.worker.messages import ModelSource, TextFiles

# Weights, and Adam's two moments, in float32: what one checkpoint of a training holds for each parameter.
CHECKPOINT_BYTES = 12


@dataclass(frozen=True, slots=True)
class TrainingInputs:
    """The text by role, and its facts for the journal. A rehearsal has `text` for both roles, no files."""

    data: Mapping[str, Json]
    digest: str
    train: TextFiles | None = None
    validation: TextFiles | None = None
    text: tuple[Sequence[str], Sequence[str]] = ((), ())


TrainingPlan = Plan[TrainingSpec, TrainingInputs]


def read_training_inputs(spec: TrainingSpec, workspace: Workspace, *, rehearsal: bool) -> TrainingInputs:
    """The text of this run. Raises LedgerError for a missing or malformed file, or unequal line counts."""
    if rehearsal:
        text = own_text(spec, workspace) or training_text(spec.languages.source, spec.languages.target)
        facts = {"path": "rehearsal.tsv", "sha256": digest_json([list(side) for side in text])}
        data: dict[str, Json] = {"train": {**facts, "lines": len(text[0])}}
        if spec.model.name is not None:
            data["model"] = {"path": "rehearsal.model", "sha256": recipe_digest()}
        return TrainingInputs(data, digest_inputs(spec, data), text=text)
    files: dict[str, TextFiles] = {}
    data = {}
    for role, named in (("train", spec.data.train), ("validation", spec.data.validation)):
        files[role], described = _read(spec, workspace, role, named)
        data.update(described)
    if spec.model.name is not None and (model := describe_model(spec.model.name, workspace)):
        data["model"] = model
    return TrainingInputs(data, digest_inputs(spec, data), files["train"], files["validation"])


def disk_need(spec: TrainingSpec, rehearsal: bool) -> DiskNeed:
    """What a run writes."""
    parameters = None if rehearsal else count_parameters(spec)
    return checkpoints_need(parameters, spec.training.save_total_limit or 1, rehearsal)


def checkpoints_need(parameters: int | None, kept: int, rehearsal: bool) -> DiskNeed:
    """Space for `kept` checkpoints, one more while saving, and one in a snapshot."""
    if rehearsal:
        return rehearsal_need()
    if parameters is None:
        return DiskNeed(RUN_BYTES, "evidence and tracking alone: the size of the model is not known")
    number = kept + 2
    how = f"{number} checkpoints of about {parameters:,} parameters x {CHECKPOINT_BYTES} bytes at one time"
    return DiskNeed(number * CHECKPOINT_BYTES * parameters + RUN_BYTES, how)


def make_job(plan: TrainingPlan, recorder: Recorder, tiny: Path | None) -> TrainingJob:
    """The worker's job; a rehearsal's text is written into the run's folder.

    `tiny` is the model that a rehearsed fine-tuning starts from.
    """
    spec, rehearsal = plan.spec, plan.request.rehearse
    train, validation = plan.inputs.train, plan.inputs.validation
    if train is None or validation is None:
        train = validation = _write_text(plan.inputs.text, spec, recorder.folder)
    arguments = spec.training.arguments()
    return TrainingJob(
        run=recorder.run,
        environment=plan.environment.digest,
        model=_model(plan, tiny),
        train=train,
        validation=validation,
        language=spec.languages.target,
        folder=output_folder(plan, recorder),
        work=recorder.folder,
        arguments=scaled_arguments(arguments) if rehearsal else arguments,
        source_code=spec.codes.source,
        target_code=spec.codes.target,
        max_source_length=spec.data.max_source_length,
        max_target_length=spec.data.max_target_length,
        seed=spec.seed,
        device="cpu" if rehearsal else spec.device,
        threads=1 if rehearsal else None,  # the other core is for the verification
    )


def output_folder(plan: Plan[Any, Any], recorder: Recorder) -> Path:
    """The folder for the checkpoints: one for each run, so that those of two runs never mix."""
    real: Path = plan.workspace.root / plan.spec.output / recorder.run
    return recorder.folder / "checkpoints" if plan.request.rehearse else real


def _model(plan: TrainingPlan, tiny: Path | None) -> ModelSource:
    model, rehearsal = plan.spec.model, plan.request.rehearse
    if model.config is None:
        assert model.name is not None
        folder = tiny or plan.workspace.root / model.name
        return ModelSource(model.family, str(folder) if folder.is_dir() else model.name)
    config = model.config.parameters()
    if rehearsal:
        return ModelSource(model.family, None, PIECES, scaled_config(config))
    return ModelSource(model.family, None, model.config.vocab_size, config)


def _write_text(text: tuple[Sequence[str], Sequence[str]], spec: TrainingSpec, work: Path) -> TextFiles:
    paths = [work / f"text.{language}" for language in (spec.languages.source, spec.languages.target)]
    for path, lines in zip(paths, text, strict=True):
        write_lines_atomically(path, lines)
    return TextFiles(paths[0], paths[1], len(text[0]))


def count_parameters(spec: TrainingSpec) -> int | None:
    """Parameters of a model from scratch, up to biases and norms, with one tied embedding."""
    config = spec.model.config
    if config is None:
        return parameters(spec.model.name or "")
    width = config.d_model
    encoder = config.encoder_layers * (4 * width * width + 2 * width * config.encoder_ffn_dim)
    decoder = config.decoder_layers * (8 * width * width + 2 * width * config.decoder_ffn_dim)
    return config.vocab_size * width + encoder + decoder


def _read(
    spec: TrainingSpec, workspace: Workspace, role: str, named: ParallelText
) -> tuple[TextFiles, dict[str, Json]]:
    paths: list[Path] = []
    counts: list[int] = []
    facts: dict[str, Json] = {}
    for side, name in (("source", named.source), ("reference", named.reference)):
        path = find_data(spec, workspace, f"{role}.{side}", name)
        paths.append(path)
        counts.append(len(read_lines(path)))
        facts[f"{role}.{side}"] = {"path": name, **digest_file(path), "lines": counts[-1]}
    if counts[0] != counts[1] or not counts[0]:
        raise LedgerError(
            f"{spec.name}: {paths[0].name} has {count(counts[0], 'line')}, {paths[1].name} has {counts[1]:,}",
            hint="line n of one is the translation of line n of the other, and there is at least one",
        )
    return TextFiles(paths[0], paths[1], counts[0]), facts
