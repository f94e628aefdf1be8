"""Training, from the parent's side: a job in, events for steps and checkpoints on the way, the result out.

The parent imports neither torch nor transformers. Checkpoints are verified by another worker: see
`ledger.commands.run.monitor`.
"""

from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.display.progress import Progress
from ledger.errors import LedgerError
from ledger.evidence.preflight import TokenizerProbe
from ledger.evidence.training import EvaluationPoint, TrainingFailure, TrainingPoint
from ledger.findings import Json
from runners.host.generation import to_probe
from runners.host.worker_process import Worker, WorkerDiedError, progress_only, shown
from runners.worker import layout, messages
from runners.worker.messages import FamilyMeasurement, ModelSource, SavedCheckpoint, TextFiles, TrainingResult


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
        return self.work / layout.STOP

    @property
    def snapshots(self) -> Path:
        """Where each checkpoint is hard-linked, so that it survives the trainer's own deletions."""
        return snapshots_in(self.work)

    @abstractmethod
    def to_worker(self) -> messages.TrainingJob[TrainingResult]:
        """The job as the worker reads it."""

    def _common(self) -> dict[str, Any]:
        """The fields of `messages.TrainingJob`."""
        return {
            "run": self.run,
            "environment": self.environment,
            "seed": self.seed,
            "device": self.device,
            "threads": self.threads,
            "folder": self.folder.resolve(),
            "snapshots": self.snapshots.resolve(),
            "stop": self.stop_file.resolve(),
            "progress": (self.work / layout.PROGRESS).resolve(),
            "resume": self.resume.resolve() if self.resume else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingJob(Job):
    """Train a translation model. `arguments` are Seq2SeqTrainingArguments; lengths are in tokens."""

    model: ModelSource
    train: TextFiles
    validation: TextFiles
    language: str
    arguments: Mapping[str, Json]
    source_code: str | None = None
    target_code: str | None = None
    max_source_length: int = 128
    max_target_length: int = 128

    def to_worker(self) -> messages.Train:
        """The job as the worker reads it."""
        return messages.Train(**self._common(), **self._task())

    def to_probe(self) -> messages.ProbeTraining:
        """The job that looks up the language codes in the training's tokenizer."""
        return messages.ProbeTraining(**self._common(), **self._task())

    def _task(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "train": _absolute(self.train),
            "validation": _absolute(self.validation),
            "max_source_length": self.max_source_length,
            "max_target_length": self.max_target_length,
            "language": self.language,
            "source_code": self.source_code,
            "target_code": self.target_code,
            "arguments": self.arguments,
            "tokenizer": (self.work / "tokenizer").resolve(),
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

    def to_worker(self) -> messages.Forecast:
        """The job as the worker reads it."""
        return messages.Forecast(
            **self._common(),
            model=self.model,
            series={frame: path.resolve() for frame, path in self.series.items()},
            window=self.window,
            validation_share=self.validation_share,
            training=self.training,
            development=self.development,
            masking=self.masking,
        )


def _absolute(files: TextFiles) -> TextFiles:
    return TextFiles(files.source.resolve(), files.reference.resolve(), files.lines)


def write_series(values: Sequence[float], path: Path) -> Path:
    """Write the values as the worker reads them: float64 in this machine's byte order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(array("d", values).tobytes())
    return path


def snapshots_in(work: Path) -> Path:
    """The folder of snapshots in a run's folder."""
    return work / layout.SNAPSHOTS


class TrainingFailedError(LedgerError):
    """The training ended early; `failure` says how."""

    def __init__(self, message: str, *, hint: str, failure: TrainingFailure) -> None:
        super().__init__(message, hint=hint)
        self.failure = failure


TrainingEvent = Progress | TrainingPoint | EvaluationPoint | FamilyMeasurement | SavedCheckpoint | str


def probe(worker: Worker, job: TrainingJob, on_progress: Callable[[Progress], None]) -> TokenizerProbe:
    """How the training's tokenizer, made for it if need be, treats the job's language codes."""
    return to_probe(worker.call(job.to_probe(), progress_only(on_progress)))


def train(worker: Worker, job: Job, post: Callable[[TrainingEvent], None]) -> TrainingResult:
    """Train to the end, or until `stop_file` exists.

    `post` receives progress, points of the series, checkpoints and notices (text). Raises TrainingFailedError
    for whatever ends it early; the message has the step.
    """
    job.stop_file.unlink(missing_ok=True)
    last: list[int] = []  # the last finished step

    def on_event(event: messages.Event) -> None:
        if isinstance(event, messages.Progress) and event.stage == "training":
            last[:] = [event.done]
        post(to_event(event))

    try:
        return worker.call(job.to_worker(), on_event)
    except LedgerError as ended:
        raise _failed(ended, last[0] if last else None) from ended


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


def to_event(event: messages.Event) -> TrainingEvent:
    """A worker's event as the ledger records it."""
    match event:
        case messages.Progress():
            return shown(event)
        case messages.Step():
            return to_point(event)
        case FamilyMeasurement() | SavedCheckpoint():
            return event
        case messages.Notice():
            return event.message
    raise ValueError(f"not an event of a training: {event}")


def to_point(step: messages.Step) -> TrainingPoint | EvaluationPoint:
    """A point of the training series, or an evaluation, as evidence."""
    if step.evaluation is not None:
        return EvaluationPoint(step.step, step.evaluation)
    return TrainingPoint(
        step=step.step,
        loss=step.loss,
        grad_norm=step.grad_norm,
        learning_rate=step.lr,
        amp_scale=step.amp_scale,
    )
