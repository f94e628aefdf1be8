"""Training, from the parent's side: a job in, events for steps and checkpoints on the way, the result out.

The parent imports neither torch nor transformers. Checkpoints are verified by another worker: see
`ledger.commands.run.monitor`.
"""

from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree

from ledger.display.progress import Progress
from ledger.errors import LedgerError
from ledger.evidence.preflight import TokenizerProbe
from ledger.evidence.training import TrainingFailure, TrainingPoint
from ledger.findings import Json
from runners.host.generation import to_probe
from runners.host.worker_process import Event, Worker, WorkerDiedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(ABC):
    """What every training job has.

    `folder` gets the checkpoints, `work` the snapshots and the current step (a run's own folder, on the same
    file system where possible: snapshots are hard links). `resume` is the checkpoint to continue from.
    `threads` None: torch's default.
    """

    run: str
    environment: str
    folder: Path
    work: Path
    seed: int = 0
    device: str = "auto"
    threads: int | None = None
    resume: Path | None = None

    @property
    def stop_file(self) -> Path:
        """While it exists, the training ends at its next step."""
        return self.work / "stop"

    @property
    def snapshots(self) -> Path:
        """Where each checkpoint is hard-linked, so that it survives the trainer's own deletions."""
        return snapshots_in(self.work)

    def to_worker(self) -> Event:
        """The job as the worker reads it."""
        return {
            "run": self.run,
            "environment": self.environment,
            "seed": self.seed,
            "device": self.device,
            "threads": self.threads,
            "folder": str(self.folder.resolve()),
            "snapshots": str(self.snapshots.resolve()),
            "stop": str(self.stop_file.resolve()),
            "progress": str((self.work / "progress.json").resolve()),
            "resume": str(self.resume.resolve()) if self.resume else None,
            **self._task(),
        }

    @abstractmethod
    def _task(self) -> Event:
        """The part of the job that only this task has, and the job's name."""


@dataclass(frozen=True, slots=True)
class TextFiles:
    """Parallel text: two UTF-8 files of `lines` lines each."""

    source: Path
    reference: Path
    lines: int

    def to_worker(self) -> Event:
        """The files as the worker reads them."""
        return {
            "source": str(self.source.resolve()),
            "reference": str(self.reference.resolve()),
            "lines": self.lines,
        }


@dataclass(frozen=True, slots=True)
class ModelJob:
    """The model to train: the one called `name` (a folder or hub name), or one of `family` from scratch.

    `config` holds the sizes of a model from scratch, in the names of its Hugging Face config.
    """

    family: str | None
    name: str | None = None
    vocab_size: int = 0
    config: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingJob(Job):
    """Train a translation model. `arguments` are Seq2SeqTrainingArguments; lengths are in tokens."""

    model: ModelJob
    train: TextFiles
    validation: TextFiles
    language: str
    arguments: Mapping[str, Json]
    source_code: str | None = None
    target_code: str | None = None
    max_source_length: int = 128
    max_target_length: int = 128

    def _task(self) -> Event:
        return {
            "job": "train",
            "model": {
                "name": self.model.name,
                "family": self.model.family,
                "vocab_size": self.model.vocab_size,
                "config": dict(self.model.config),
            },
            "data": {
                "train": self.train.to_worker(),
                "validation": self.validation.to_worker(),
                "max_source_length": self.max_source_length,
                "max_target_length": self.max_target_length,
            },
            "language": self.language,
            "source_code": self.source_code,
            "target_code": self.target_code,
            "arguments": dict(self.arguments),
            "tokenizer": str((self.work / "tokenizer").resolve()),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastJob(Job):
    """Train a forecaster. `series` has the file of each time frame, as `write_series` writes it.

    `model` holds `name`, `revision` and `config`; `training`, `development` and `masking` are the spec's.
    """

    model: Mapping[str, Json]
    series: Mapping[str, Path]
    window: int
    validation_share: float
    training: Mapping[str, Json]
    development: Mapping[str, Json]
    masking: Mapping[str, Json]

    def _task(self) -> Event:
        return {
            "job": "forecast",
            "model": dict(self.model),
            "data": {
                "series": {frame: str(path.resolve()) for frame, path in self.series.items()},
                "window": self.window,
                "validation_share": self.validation_share,
            },
            "training": dict(self.training),
            "development": dict(self.development),
            "masking": dict(self.masking),
        }


def write_series(values: Sequence[float], path: Path) -> Path:
    """Write the values as the worker reads them: float64 in this machine's byte order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(array("d", values).tobytes())
    return path


def snapshots_in(work: Path) -> Path:
    """The folder of snapshots in a run's folder."""
    return work / "snapshots"


@dataclass(frozen=True, slots=True)
class SavedCheckpoint:
    """A checkpoint that was saved: its folder, the snapshot to verify, and the seconds that it took."""

    step: int
    folder: Path
    snapshot: Path
    save_seconds: float = 0.0
    evidence_seconds: float = 0.0

    def drop_snapshot(self) -> None:
        """Remove the snapshot. Without hard links there is none: the checkpoint's own folder is verified."""
        if self.snapshot != self.folder:
            rmtree(self.snapshot, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """The result of a training. `stopped`: it was asked to end before its last step."""

    last_step: int
    stopped: bool
    parameters: int
    effective: Mapping[str, Json]
    imported: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The loss on the validation text, in nats per token."""

    step: int
    loss: float | None


@dataclass(frozen=True, slots=True)
class FamilyMeasurement:
    """A family of metrics at a step: each member's value, and how many windows it was measured on."""

    step: int
    name: str
    values: Mapping[str, float]
    counts: Mapping[str, int]


class TrainingFailedError(LedgerError):
    """The training ended early; `failure` says how."""

    def __init__(self, message: str, *, hint: str, failure: TrainingFailure) -> None:
        super().__init__(message, hint=hint)
        self.failure = failure


TrainingEvent = Progress | TrainingPoint | Evaluation | FamilyMeasurement | SavedCheckpoint | str


def probe(worker: Worker, job: TrainingJob, on_progress: Callable[[Progress], None]) -> TokenizerProbe:
    """How the training's tokenizer, made for it if need be, treats the job's language codes."""

    def on_event(event: Event) -> None:
        if event["event"] == "progress":
            on_progress(Progress(event["stage"], event["done"], event["total"], event["rate"]))

    return to_probe(worker.call({**job.to_worker(), "job": "probe_training"}, on_event))


def train(worker: Worker, job: Job, post: Callable[[TrainingEvent], None]) -> TrainingResult:
    """Train to the end, or until `stop_file` exists.

    `post` receives progress, points of the series, checkpoints and notices (text). Raises TrainingFailedError
    for whatever ends it early; the message has the step.
    """
    job.stop_file.unlink(missing_ok=True)
    last: list[int] = []  # the last finished step

    def on_event(event: Event) -> None:
        parsed = to_event(event)
        if isinstance(parsed, Progress) and parsed.stage == "training":
            last[:] = [parsed.done]
        post(parsed)

    try:
        result = worker.call(job.to_worker(), on_event)
    except LedgerError as ended:
        raise _failed(ended, last[0] if last else None) from ended
    return TrainingResult(
        last_step=result["last_step"],
        stopped=result["stopped"],
        parameters=result["parameters"],
        effective=result["effective"],
        imported=tuple(result["imported"]),
    )


def _failed(ended: LedgerError, last: int | None) -> TrainingFailedError:
    """The error with its step; `last` is the last finished step, None before the training began."""
    died = ended if isinstance(ended, WorkerDiedError) else None
    error = died.resumable() if died else ended
    has_step = not last or f"step {last}" in error.message or f"-{last}" in error.message
    after = "" if has_step else f" (after step {last:,})"
    # The signal and the last words are evidence; the message itself only guesses that memory was short.
    failure = TrainingFailure(
        message=died.last_words if died else ended.message,
        step=None if last is None else last + 1,
        signal=died.signal if died else None,
    )
    return TrainingFailedError(error.message + after, hint=error.hint, failure=failure)


def to_event(event: Event) -> TrainingEvent:
    """An event of a training, from its JSON."""
    match event["event"]:
        case "progress":
            return Progress(event["stage"], event["done"], event["total"], event["rate"])
        case "step" if "eval_loss" in event:
            return Evaluation(event["step"], _number(event["eval_loss"]))
        case "step":
            return TrainingPoint(
                step=event["step"],
                loss=_number(event.get("loss")),
                grad_norm=_number(event.get("grad_norm")),
                learning_rate=_number(event.get("lr")),
                amp_scale=_number(event.get("amp_scale")),
            )
        case "family":
            return FamilyMeasurement(
                step=event["step"],
                name=event["name"],
                values={name: float(one["value"]) for name, one in event["members"].items()},
                counts={name: one["count"] for name, one in event["members"].items()},
            )
        case "saved":
            return SavedCheckpoint(
                step=event["step"],
                folder=Path(event["folder"]),
                snapshot=Path(event["snapshot"]),
                save_seconds=event["save_seconds"],
                evidence_seconds=event["evidence_seconds"],
            )
    return str(event["message"])


def _number(value: float | str | None) -> float | None:
    """A number of the series; NaN and infinities are sent as text."""
    return None if value is None else float(value)
