"""The messages between the ledger and the processes that it starts: jobs, events, and the result of each job.

Standard library only, since both sides import it. A message is one line of JSON. A job has its name under
`job`, an event under `event`; non-finite floats travel as text, paths as strings.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from pathlib import Path
from shutil import rmtree
from types import UnionType
from typing import Any, ClassVar, Generic, TypeVar, get_args, get_origin, get_type_hints

Json = Any  # whatever json.loads returns


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a process reports. `EVENT` is its name."""

    EVENT: ClassVar[str]


@dataclass(frozen=True, slots=True)
class Result(Event):
    """What a job returns: its last event."""

    EVENT = "result"


R = TypeVar("R", bound=Result)


@dataclass(frozen=True, slots=True)
class Job(Generic[R]):
    """Something for a worker to do. `JOB` is its name, `RESULT` the class of what it returns."""

    JOB: ClassVar[str]
    RESULT: ClassVar[type[Result]]


# ---- events of every job


@dataclass(frozen=True, slots=True)
class Progress(Event):
    """`done` of `total` in one stage; `rate` is the number done per second, None where unknown."""

    EVENT = "progress"
    stage: str
    done: int
    total: int
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Notice(Event):
    """A message for the user that does not stop the job."""

    EVENT = "notice"
    message: str


@dataclass(frozen=True, slots=True)
class Failure(Event):
    """The job failed: this is its last event."""

    EVENT = "error"
    kind: str
    message: str
    hint: str


# ---- training


@dataclass(frozen=True, slots=True)
class Step(Event):
    """One point of the training series. An evaluation has only metrics, by name (`eval_loss`…)."""

    EVENT = "step"
    step: int
    loss: float | None = None
    grad_norm: float | None = None
    lr: float | None = None
    amp_scale: float | None = None
    evaluation: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class FamilyMeasurement(Event):
    """One metric of several members, measured at a step: each member's value, over so many windows."""

    EVENT = "family"
    step: int
    name: str
    values: Mapping[str, float]
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class SavedCheckpoint(Event):
    """A checkpoint that was saved: its folder, the snapshot to verify, and the seconds that it took.

    `python` is the interpreter that can reload it, where an attached process reports it.
    """

    EVENT = "saved"
    step: int
    folder: Path
    snapshot: Path
    save_seconds: float = 0.0
    evidence_seconds: float = 0.0
    python: Path | None = None

    def drop_snapshot(self) -> None:
        """Remove the snapshot. Without hard links there is none: the checkpoint's own folder is verified."""
        if self.snapshot != self.folder:
            rmtree(self.snapshot, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class TrainingResult(Result):
    """How a training ended. `stopped`: it was asked to end before its last step."""

    last_step: int
    stopped: bool
    parameters: int
    effective: Mapping[str, Json]
    imported: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingJob(Job[R]):
    """What every training job has.

    `folder` gets the checkpoints, `snapshots` a hard link of each. The training ends at its next step once
    the file `stop` exists; `progress` holds the current step. `resume` is the checkpoint to continue from.
    `environment` is a digest; `threads` None: torch's default.
    """

    run: str
    environment: str
    folder: Path
    snapshots: Path
    stop: Path
    progress: Path
    resume: Path | None
    seed: int
    device: str
    threads: int | None


@dataclass(frozen=True, slots=True)
class TextFiles:
    """Parallel text: two UTF-8 files of `lines` lines each."""

    source: Path
    reference: Path
    lines: int


@dataclass(frozen=True, slots=True)
class ModelSource:
    """The model to train: the one called `name` (a folder or hub name), or one of `family` from scratch.

    `config` holds the sizes of a model from scratch, in the names of its Hugging Face config.
    """

    family: str | None
    name: str | None = None
    vocab_size: int = 0
    config: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslationTraining(TrainingJob[R]):
    """A training of a translation model. `arguments` are Seq2SeqTrainingArguments; lengths are in tokens.

    A tokenizer that is made from scratch is stored in the folder `tokenizer`, and read from there later.
    """

    model: ModelSource
    train: TextFiles
    validation: TextFiles
    max_source_length: int
    max_target_length: int
    language: str
    source_code: str | None
    target_code: str | None
    arguments: Mapping[str, Json]
    tokenizer: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Train(TranslationTraining[TrainingResult]):
    """Train a translation model."""

    JOB = "train"
    RESULT = TrainingResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast(TrainingJob[TrainingResult]):
    """Train a forecaster. `series` has the file of each time frame: float64 numbers, oldest first.

    `model` holds `name`, `revision` and `config`; `training`, `development` and `masking` are the spec's.
    """

    JOB = "forecast"
    RESULT = TrainingResult
    model: Mapping[str, Json]
    series: Mapping[str, Path]
    window: int
    validation_share: float
    training: Mapping[str, Json]
    development: Mapping[str, Json]
    masking: Mapping[str, Json]


# ---- language codes


@dataclass(frozen=True, slots=True)
class CodesResult(Result):
    """`codes`: by role the fields of `ledger.evidence.CodeProbe`; `uncoded`: roles without codes.

    `chosen`: by role the codes that follow where nobody wrote one.
    """

    tokenizer: str
    family: str
    known_codes: tuple[str, ...]
    codes: Mapping[str, Mapping[str, Json]]
    uncoded: tuple[str, ...]
    chosen: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeCodes(Job[CodesResult]):
    """Look up language codes in a model's tokenizer; the round trip is tried on `sentences`.

    `source_names`, `target_names`: the languages of the text, where no code is written.
    """

    JOB = "probe_codes"
    RESULT = CodesResult
    model: str
    revision: str | None = None
    family: str | None = None
    source_code: str | None = None
    target_code: str | None = None
    source_names: tuple[str, ...] = ()
    target_names: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeTraining(TranslationTraining[CodesResult]):
    """Look up the language codes of a training in its tokenizer, which is made if it does not exist."""

    JOB = "probe_training"
    RESULT = CodesResult


# ---- generation


@dataclass(frozen=True, slots=True)
class GenerationResult(Result):
    """`shards`: the line numbers of each, from 0; blank lines are in none. `resumed`: lines done before.

    `truncated` are the lines, from 0, whose source was cut to the longest input.
    """

    job_digest: str
    shards: tuple[tuple[int, ...], ...]
    effective: Mapping[str, Json]
    imported: tuple[str, ...]
    resumed: int
    truncated: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class CometResult(Result):
    """`scores`: COMET of each line, for each output; `signature`: the model, its digest and the version."""

    scores: tuple[tuple[float, ...], ...]
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreComet(Job[CometResult]):
    """Score `outputs`, files of `lines` lines, by COMET. `model` is a hub name, a folder or a checkpoint."""

    JOB = "score_comet"
    RESULT = CometResult
    model: str
    source: Path
    reference: Path
    outputs: tuple[Path, ...]
    lines: int
    batch_size: int = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Generate(Job[GenerationResult]):
    """Translate the `lines` lines of `source` with `model`, into shards in the folder `shards`.

    `source_names`, `target_names`: the languages of the text, where no code is written. `max_source_length`:
    tokens after which a source line is cut; None: where the model's input ends.
    """

    JOB = "generate"
    RESULT = GenerationResult
    model: str
    revision: str | None
    family: str | None
    source: Path
    lines: int
    source_code: str | None
    target_code: str | None
    generation: Mapping[str, Json]
    batch_size: int
    dtype: str
    device: str
    seed: int
    failure_marker: str
    shards: Path
    source_names: tuple[str, ...] = ()
    target_names: tuple[str, ...] = ()
    max_source_length: int | None = None


# ---- checkpoints


@dataclass(frozen=True, slots=True)
class ReadyResult(Result):
    """What a reload needs is imported."""


@dataclass(frozen=True, slots=True)
class GetReady(Job[ReadyResult]):
    """Import what a reload needs, while the parent is busy with something else."""

    JOB = "get_ready"
    RESULT = ReadyResult


@dataclass(frozen=True, slots=True)
class CheckpointResult(Result):
    """A reloaded checkpoint in the shapes of `CheckpointFiles`, `Snapshot` and `Sample` of `ledger.evidence`.

    `codes`: the codes that the user wrote, if the tokenizer lacks one: nothing was translated then.
    `asked`: a second sample, of the lines given in addition to stored evidence, or of all lines for `full`.
    `seconds` by stage.
    """

    files: Mapping[str, Json]
    snapshot: Mapping[str, Json]
    asked: Mapping[str, Json] | None = None
    codes: CodesResult | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    imported: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeCheckpoint(Job[CheckpointResult]):
    """Reload the folder `checkpoint` on `device` and repeat the measurements of its stored evidence.

    Where there is none, `source`, `reference` (lines) and the languages say what to translate. `family` names
    the model's family where the folder does not. `names` are those of `language`, `prefix` is put
    before each line for a model that takes its task in words. `full`: all lines, with the checkpoint's own
    generation settings. `files`: the sound folder as it was inspected, if it was.
    """

    JOB = "probe_checkpoint"
    RESULT = CheckpointResult
    checkpoint: Path
    source: tuple[str, ...] = ()
    reference: tuple[str, ...] = ()
    language: str | None = None
    names: tuple[str, ...] = ()
    source_code: str | None = None
    target_code: str | None = None
    prefix: str | None = None
    family: str | None = None
    full: bool = False
    device: str = "cpu"
    files: Mapping[str, Json] | None = None


# ---- library defaults


@dataclass(frozen=True, slots=True)
class ModelClass:
    """A family, with the part of its config that the experiment `name` sets; empty: the class's own."""

    name: str
    family: str
    config: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Defaults(Result):
    """`settings` by class or call; `chosen`: those that were given, by dotted name; `unseen`: reasons."""

    settings: Mapping[str, Json]
    chosen: Mapping[str, Json]
    unseen: Mapping[str, str]
    imported: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DumpDefaults(Job[Defaults]):
    """Report the effective defaults of the classes that these models use."""

    JOB = "dump_defaults"
    RESULT = Defaults
    models: tuple[ModelClass, ...]


# ---- rehearsals


@dataclass(frozen=True, slots=True)
class RehearsalResult(Result):
    """How a tiny model was trained, as in its `rehearsal.json`. `right` is 0-1, `loss` nats a token."""

    family: str
    objective: str
    lines: int
    seed: int
    steps: int
    loss: float
    right: float
    parameters: int
    versions: Mapping[str, str]
    seconds: float


@dataclass(frozen=True, slots=True)
class Rehearse(Job[RehearsalResult]):
    """Train a tiny model of `family` and put it in `folder`, which must not exist yet.

    `triples` are lines in Korean, Japanese and English, or in the three languages whose codes `names` has,
    the preferred one first. `objective`: "translation" or "denoising".
    """

    JOB = "rehearse"
    RESULT = RehearsalResult
    family: str
    objective: str
    triples: tuple[tuple[str, str, str], ...]
    lines: int
    seed: int
    folder: Path
    names: tuple[tuple[str, ...], ...] = ()


# ---- attached processes


@dataclass(frozen=True, slots=True)
class AttachedTraining(Event):
    """A training starts in a process of this Python, and will save in `folder`.

    `filtered`: its log repeats the last finite loss in place of a non-finite one (`logging_nan_inf_filter`).
    """

    EVENT = "training"
    python: Path
    folder: Path
    step: int
    filtered: bool = True


@dataclass(frozen=True, slots=True)
class UsesModels(Event):
    """A process of this Python uses models of transformers."""

    EVENT = "models"
    python: Path


@dataclass(frozen=True, slots=True)
class SavedModel(Event):
    """A process saved a model in a folder. `reason`: why only the program itself can reload it."""

    EVENT = "saved_model"
    folder: Path
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Unverified(Event):
    """A checkpoint that only the program itself can reload; without a folder, something that was not done."""

    EVENT = "unverified"
    reason: str
    step: int = 0
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Skipped(Event):
    """Something that was not done."""

    EVENT = "skip"
    reason: str


JOBS: dict[str, type[Job[Any]]] = {
    job.JOB: job
    for job in (
        ProbeCodes,
        ProbeTraining,
        Generate,
        ScoreComet,
        Rehearse,
        Train,
        Forecast,
        GetReady,
        ProbeCheckpoint,
        DumpDefaults,
    )
}
EVENTS: dict[str, type[Event]] = {
    event.EVENT: event
    for event in (
        Progress,
        Notice,
        Failure,
        Step,
        FamilyMeasurement,
        SavedCheckpoint,
        AttachedTraining,
        UsesModels,
        SavedModel,
        Unverified,
        Skipped,
    )
}


def to_line(message: Event | Job[Any]) -> str:
    """The message as one line of JSON, with its end of line."""
    name = {"job": message.JOB} if isinstance(message, Job) else {"event": message.EVENT}
    return json.dumps({**name, **to_json(message)}) + "\n"


def to_event(line: str | bytes, result: type[Result] = Result) -> Event:
    """The event on a line; a result is of the class `result`.

    Raises ValueError, KeyError or TypeError where the line is not one.
    """
    values = json.loads(line)
    name = values["event"]
    event: Event = from_json(result if name == Result.EVENT else EVENTS[name], values)
    return event


def to_json(value: Any) -> Any:
    """The value in JSON types: dataclasses as objects, paths and non-finite floats as text."""
    if is_dataclass(value):
        return {one.name: to_json(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, Path) or (isinstance(value, float) and not math.isfinite(value)):
        return str(value)
    return value


def from_json(kind: Any, value: Any) -> Any:
    """A value of the type `kind` from what `to_json` made of it; unknown fields are ignored."""
    if isinstance(kind, type) and is_dataclass(kind):
        types = _field_types(kind)
        return kind(**{name: from_json(types[name], item) for name, item in value.items() if name in types})
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is UnionType:  # `X | None`
        return None if value is None else from_json(arguments[0], value)
    if origin is tuple:
        return tuple(from_json(arguments[0], item) for item in value)
    if origin is Mapping:
        return {key: from_json(arguments[1], item) for key, item in value.items()}
    return kind(value) if kind in (Path, float) else value


@cache
def _field_types(kind: type[Any]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {one.name: hints[one.name] for one in fields(kind)}
