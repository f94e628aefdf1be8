"""One training while it goes on: a worker trains, another verifies each save, this process writes it down.

Both workers have a thread that waits for them; the threads only put news into a queue, so that the record and
the terminal are one thread's.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from shutil import rmtree

from ledger.checkpoints.folders import list_checkpoints
from ledger.checkpoints.provenance import step_in_name
from ledger.commands.reporter import Reporter
from ledger.commands.run.recorder import Recorder
from ledger.commands.verify.background import BackgroundVerifier, CheckpointVerification, record_checkpoint
from ledger.commands.verify.values import VerificationContext, VerificationResult
from ledger.display.progress import Progress
from ledger.evidence.metrics import Metric
from ledger.evidence.snapshot import Sample
from ledger.evidence.training import TrainingPoint
from ledger.findings import Report, Severity, Skip, Verdict
from ledger.utils.hashing import digest_json
from runners.host.training import (
    Evaluation,
    FamilyMeasurement,
    Job,
    SavedCheckpoint,
    TrainingEvent,
    TrainingResult,
    train,
)
from runners.host.worker_process import Worker


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One save and what became of it. `memory` and `reloaded` are BLEU over the same lines, if any.

    `save_seconds` and `evidence_seconds` are how long the training waited for each. `tensors` is a digest
    over the digests of all tensors, None where they were not read.
    """

    step: int
    folder: Path
    report: Report
    memory: Metric | None = None
    reloaded: Metric | None = None
    sample: Sample | None = None
    marked: bool = False
    save_seconds: float = 0.0
    evidence_seconds: float = 0.0
    tensors: str | None = None

    @property
    def verdict(self) -> Verdict:
        """Of the verification."""
        return self.report.verdict


class TrainingLoop:
    """Runs the job once. Afterwards `points` is the series so far, `checkpoints` every save's fate, and
    `families` what was measured of a family of metrics, oldest first.
    """

    def __init__(
        self, trainer: Worker, job: Job, setting: VerificationContext, recorder: Recorder, voice: Reporter
    ) -> None:
        self.job = job
        self.points: list[TrainingPoint] = []
        self.checkpoints: list[Checkpoint] = []
        self.families: list[FamilyMeasurement] = []
        self._trainer = trainer
        self._setting, self._recorder, self._voice = setting, recorder, voice
        self._stop_on_fail = True
        self._news: SimpleQueue[
            TrainingEvent | CheckpointVerification | Exception | Future[TrainingResult]
        ] = SimpleQueue()
        self._waiting = 0
        self._ended = False

    def run(self, *, stop_on_fail: bool) -> TrainingResult:
        """Train to the end, and verify every save. Raises LedgerError for what ended the training early.

        What had been saved until then is verified all the same: that is what `--resume` goes on from.
        """
        self._stop_on_fail = stop_on_fail
        log = self._recorder.folder / "verify.log"
        with (
            ThreadPoolExecutor(1) as pool,
            BackgroundVerifier(self._trainer.interpreter, log, self._setting, self._news.put) as verifier,
            closing(self._trainer),  # else the pool would wait for a training that nobody wants any more
            self._voice.progress("steps") as on_progress,
        ):
            training = pool.submit(train, self._trainer, self.job, self._news.put)
            training.add_done_callback(self._news.put)
            while self._waiting or not self._ended:
                self._hear(self._news.get(), verifier, on_progress)
        return training.result()

    def _hear(
        self,
        news: "TrainingEvent | CheckpointVerification | Exception | Future[TrainingResult]",
        verifier: BackgroundVerifier,
        on_progress: Callable[[Progress], None],
    ) -> None:
        match news:
            case Progress():
                on_progress(news)
            case TrainingPoint():
                self._add(news)
            case Evaluation():
                self._recorder.metric("eval_loss", news.loss, news.step)
            case FamilyMeasurement():
                self._measure(news)
            case SavedCheckpoint():
                self._waiting += 1
                verifier.take(news)
            case CheckpointVerification():
                self._waiting -= 1
                self._judge(news)
            case Exception():
                raise news
            case str():
                self._voice.say(news)
            case Future():
                self._ended = True

    def _add(self, point: TrainingPoint) -> None:
        self.points.append(point)
        for name in ("loss", "grad_norm", "learning_rate", "amp_scale"):
            self._recorder.metric(name, getattr(point, name), point.step)

    def _measure(self, news: FamilyMeasurement) -> None:
        self.families.append(news)
        for name, value in news.values.items():
            self._recorder.metric(f"{news.name}_{name}", value, news.step)
        members = "  ".join(f"{name} {value:+.4f}" for name, value in news.values.items())
        self._voice.say(f"{news.name} at step {news.step:,}: {members}")

    def _judge(self, judged: CheckpointVerification) -> None:
        verified = record_checkpoint(self._setting, judged, self._voice.say)
        checkpoint = to_checkpoint(judged, verified)
        self.checkpoints.append(checkpoint)
        for name, score in (("bleu_memory", checkpoint.memory), ("bleu_reloaded", checkpoint.reloaded)):
            self._recorder.metric(name, score.value if score else None, checkpoint.step)
        for line in told(checkpoint):
            self._voice.say(line)
        if checkpoint.verdict is Verdict.FAIL and self._stop_on_fail and not self._ended:
            self.job.stop_file.touch()
            self._voice.say("on_fail is stop: the training ends at its next step")
        self._forget_older(checkpoint)

    def _forget_older(self, checkpoint: Checkpoint) -> None:
        """Of the snapshots that are done with, the newest verified one stays, for a resume."""
        newest = max((one.step for one in self.checkpoints if one.marked), default=None)
        for snapshot in list_checkpoints(self.job.snapshots):
            step = step_in_name(snapshot)
            done = step is not None and step <= checkpoint.step
            if done and step != newest and snapshot != self.job.resume:
                rmtree(snapshot, ignore_errors=True)

    def tidy(self) -> None:
        """Drop the snapshots of checkpoints that are still in their own place."""
        for snapshot in list_checkpoints(self.job.snapshots):
            if (self.job.folder / snapshot.name).is_dir():
                rmtree(snapshot, ignore_errors=True)
        with suppress(OSError):
            self.job.snapshots.rmdir()


def told(checkpoint: Checkpoint) -> list[str]:
    """One line about a save, then one for each error that was found."""
    scores = f"BLEU in memory {shown(checkpoint.memory):>6}, reloaded {shown(checkpoint.reloaded):>6}   "
    scored = checkpoint.memory or checkpoint.reloaded
    name = checkpoint.folder.name
    lines = [f"{name:<18} {scores if scored else ''}{checkpoint.verdict.upper()}"]
    errors = [f for f in checkpoint.report.findings if f.severity >= Severity.ERROR]
    reasons = [skip for skip in checkpoint.report.skips if skip.required]
    return (
        lines
        + [f"  {found.code} {found.message}" for found in errors]
        + [f"  {skip.code} {skip.reason}" for skip in reasons]
    )


def shown(score: Metric | None) -> str:
    """A score for people; `-` where there is none."""
    return f"{score.value:.2f}" if score else "-"


def to_checkpoint(judged: CheckpointVerification, verified: VerificationResult | None) -> Checkpoint:
    """The fate of a save, as it is told, gathered and recorded."""
    saved = judged.saved
    if verified is None:
        assert judged.error is not None
        why = f"it could not be verified: {judged.error.message}"
        report, scores = Report(skips=(Skip("CKP001", why, required=True),)), (None, None)
        return Checkpoint(saved.step, saved.folder, report, *scores)
    weights = verified.result.actual.weights
    return Checkpoint(
        step=saved.step,
        folder=saved.folder,
        report=verified.report,
        memory=verified.memory,
        reloaded=verified.reloaded,
        sample=verified.result.actual.sample,
        marked=verified.marked,
        save_seconds=saved.save_seconds,
        evidence_seconds=saved.evidence_seconds,
        tensors=digest_json(dict(weights.digests)) if weights else None,
    )
