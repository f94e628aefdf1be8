"""Training as the ledger asks for it: a job in, news of steps and saves on the way, how it ended out.

The parent imports neither torch nor transformers. Verifying the saves is another worker's: see
`ledger.commands.run.training.train`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ledger.display.progress import Progress
from ledger.errors import LedgerError
from ledger.evidence import TokenizerProbe
from ledger.evidence.training import TrainingFailure, TrainingPoint
from ledger.findings import Json
from runners.host.generation import to_probe
from runners.host.worker_process import Event, Worker, WorkerDiedError


class Job(Protocol):
    """What a training of any kind is asked to do, and where its files go; see TrainingJob."""

    @property
    def folder(self) -> Path:
        """The checkpoints' folder."""
        ...

    @property
    def resume(self) -> Path | None:
        """The checkpoint to go on from."""
        ...

    @property
    def stop_file(self) -> Path:
        """While it is there, the training ends at its next step."""
        ...

    @property
    def snapshots(self) -> Path:
        """Where each save is linked, so that the trainer's own deletions do not reach it."""
        ...

    def to_worker(self) -> Event:
        """The job as the worker is told."""
        ...


@dataclass(frozen=True, slots=True)
class TextFiles:
    """Parallel text: two UTF-8 files of `lines` lines each."""

    source: Path
    reference: Path
    lines: int


@dataclass(frozen=True, slots=True)
class ModelJob:
    """What is trained: the model called `name` (a folder or hub name), or one of `family` from scratch.

    `config` holds the sizes of a model from scratch, in the names of its Hugging Face config.
    """

    family: str | None
    name: str | None = None
    vocab_size: int = 0
    config: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """What to train, on what, and where its files go.

    `folder` gets the checkpoints, `work` the vocabulary, the snapshots and the step (a run's own folder, on
    the same file system where possible: snapshots are hard links). `arguments` are Seq2SeqTrainingArguments.
    `resume` is the checkpoint to go on from. `threads` None: torch's own number.
    """

    run: str
    environment: str
    model: ModelJob
    train: TextFiles
    validation: TextFiles
    language: str
    folder: Path
    work: Path
    arguments: Mapping[str, Json]
    source_code: str | None = None
    target_code: str | None = None
    max_source_length: int = 128
    max_target_length: int = 128
    seed: int = 0
    device: str = "auto"
    threads: int | None = None
    resume: Path | None = None

    @property
    def stop_file(self) -> Path:
        """While it is there, the training ends at its next step."""
        return self.work / "stop"

    @property
    def snapshots(self) -> Path:
        """Where each save is linked, so that the trainer's own deletions do not reach it."""
        return snapshots_in(self.work)

    def to_worker(self) -> Event:
        """The job as the worker is told."""
        return _to_worker(self)


def snapshots_in(work: Path) -> Path:
    """The snapshots in a run's folder."""
    return work / "snapshots"


@dataclass(frozen=True, slots=True)
class Saved:
    """One save: its folder, the snapshot that is to be verified, and the seconds that the training waited."""

    step: int
    folder: Path
    snapshot: Path
    save_seconds: float
    evidence_seconds: float


@dataclass(frozen=True, slots=True)
class Trained:
    """How it ended. `stopped`: it was asked to end before its last step."""

    last_step: int
    stopped: bool
    parameters: int
    effective: Mapping[str, Json]
    imported: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The loss on the validation text, in nats a token."""

    step: int
    loss: float | None


@dataclass(frozen=True, slots=True)
class FamilyNews:
    """One metric of several members, measured at a step: each member's value, over so many windows."""

    step: int
    name: str
    values: Mapping[str, float]
    counts: Mapping[str, int]


class TrainingFailedError(LedgerError):
    """The training ended early; `failure` is how."""

    def __init__(self, message: str, *, hint: str, failure: TrainingFailure) -> None:
        super().__init__(message, hint=hint)
        self.failure = failure


News = Progress | TrainingPoint | Evaluation | FamilyNews | Saved | str


def probe(worker: Worker, job: TrainingJob, tell: Callable[[Progress], None]) -> TokenizerProbe:
    """What the training's tokenizer makes of the job's language codes; one from scratch is made for it."""

    def on_event(event: Event) -> None:
        if event["event"] == "progress":
            tell(Progress(event["stage"], event["done"], event["total"], event["rate"]))

    return to_probe(worker.call({**job.to_worker(), "job": "probe_training"}, on_event))


def train(worker: Worker, job: Job, tell: Callable[[News], None]) -> Trained:
    """Train until the end, or until `stop_file` is there.

    `tell` is given progress, points of the series, saves and notices (text). Raises TrainingFailedError for
    whatever ends it early; the message has the step.
    """
    job.stop_file.unlink(missing_ok=True)
    last: list[int] = []  # the last step that was done

    def on_event(event: Event) -> None:
        news = to_news(event)
        if isinstance(news, Progress) and news.stage == "training":
            last[:] = [news.done]
        tell(news)

    try:
        result = worker.call(job.to_worker(), on_event)
    except LedgerError as ended:
        raise _failed(ended, last[0] if last else None) from ended
    return Trained(
        last_step=result["last_step"],
        stopped=result["stopped"],
        parameters=result["parameters"],
        effective=result["effective"],
        imported=tuple(result["imported"]),
    )


def _failed(ended: LedgerError, last: int | None) -> TrainingFailedError:
    """The error with its step; `last` is the last step that was done, None before the training began."""
    died = ended if isinstance(ended, WorkerDiedError) else None
    error = died.resumable() if died else ended
    told = not last or f"step {last}" in error.message or f"-{last}" in error.message
    after = "" if told else f" (after step {last:,})"
    # A death is told by a signal and by what was said before it: the message itself only guesses at memory.
    failure = TrainingFailure(
        message=died.said if died else ended.message,
        step=None if last is None else last + 1,
        signal=died.signal if died else None,
    )
    return TrainingFailedError(error.message + after, hint=error.hint, failure=failure)


def to_news(event: Event) -> News:
    """What an event of a training says."""
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
            return FamilyNews(
                step=event["step"],
                name=event["name"],
                values={name: float(one["value"]) for name, one in event["members"].items()},
                counts={name: one["count"] for name, one in event["members"].items()},
            )
        case "saved":
            return Saved(
                step=event["step"],
                folder=Path(event["folder"]),
                snapshot=Path(event["snapshot"]),
                save_seconds=event["save_seconds"],
                evidence_seconds=event["evidence_seconds"],
            )
    return str(event["message"])


def _number(value: float | str | None) -> float | None:
    """A number of the series; NaN and the infinities come as text."""
    return None if value is None else float(value)


def _to_worker(job: TrainingJob) -> Event:
    return {
        "job": "train",
        "run": job.run,
        "environment": job.environment,
        "model": {
            "name": job.model.name,
            "family": job.model.family,
            "vocab_size": job.model.vocab_size,
            "config": dict(job.model.config),
        },
        "data": {
            "train": _files(job.train),
            "validation": _files(job.validation),
            "max_source_length": job.max_source_length,
            "max_target_length": job.max_target_length,
        },
        "language": job.language,
        "source_code": job.source_code,
        "target_code": job.target_code,
        "arguments": dict(job.arguments),
        "seed": job.seed,
        "device": job.device,
        "threads": job.threads,
        "folder": str(job.folder.resolve()),
        "tokenizer": str((job.work / "tokenizer").resolve()),
        "snapshots": str(job.snapshots.resolve()),
        "stop": str(job.stop_file.resolve()),
        "progress": str((job.work / "progress.json").resolve()),
        "resume": str(job.resume.resolve()) if job.resume else None,
    }


def _files(files: TextFiles) -> dict[str, Json]:
    return {
        "source": str(files.source.resolve()),
        "reference": str(files.reference.resolve()),
        "lines": files.lines,
    }
