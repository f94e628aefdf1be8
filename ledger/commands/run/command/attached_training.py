"""A command while it runs: what its trainings tell is heard, and each save is verified beside them.

One thread waits for the command and reads its events, one verifies for each Python that saves; all put news
into a queue, so that the record and the terminal are one thread's. What verifies is loaded when the first
training begins: most commands train nothing.
"""

import subprocess
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from ledger.commands.reporter import Reporter
from ledger.commands.run.command.checkpoint_watcher import CheckpointWatcher, remove
from ledger.commands.run.recorder import Recorder
from ledger.environments.environment import Environment
from ledger.evidence.training import TrainingPoint
from ledger.findings import Verdict
from runners.host.attachment import (
    AttachedCheckpoint,
    AttachedEvent,
    AttachedTraining,
    Attachment,
    Unverified,
    UsesModels,
)
from runners.host.training import Evaluation

if TYPE_CHECKING:
    from ledger.commands.run.command.attached_checkpoints import AttachedCheckpointVerifier
    from ledger.commands.run.training.loop import Checkpoint
    from ledger.commands.verify.background import CheckpointVerification

LISTEN = 0.2  # seconds between two looks at what was told
UNTOLD = "the training was ended before it could tell of it"


@dataclass(frozen=True, slots=True)
class Ended:
    """The command ended with that code, as `subprocess` has it, and all that it told was heard."""

    code: int


class AttachedLoop:
    """Hears of one command until it has ended and all its saves are judged.

    Afterwards `checkpoints` is every save's fate, `points` the series, `unverified` what was not verified and
    why, `trainings` those that began, `models` the Python that used models, and `interrupted` says that the
    last verifications were not waited for.
    """

    def __init__(
        self,
        attachment: Attachment,
        recorder: Recorder,
        voice: Reporter,
        known: Mapping[Path, Environment],
        *,
        stop_on_fail: bool,
    ) -> None:
        self.points: list[TrainingPoint] = []
        self.unverified: list[Unverified] = []
        self.trainings: list[AttachedTraining] = []
        self.models: Path | None = None
        self.interrupted = False
        self._attachment, self._recorder, self._voice, self._known = attachment, recorder, voice, known
        self._stop_on_fail = stop_on_fail
        self._news: SimpleQueue[AttachedEvent | CheckpointVerification | Exception | Ended] = SimpleQueue()
        self._open = ExitStack()
        self._saves: AttachedCheckpointVerifier | None = None
        self._untold: dict[Path, AttachedCheckpoint] = {}
        self._asked_to_stop = self._ended = False
        self._began = time.time()

    def run(self, child: "subprocess.Popen[bytes]", watched: CheckpointWatcher | None = None) -> int:
        """Wait for the command; returns its exit code, negative for a signal.

        An interrupt reaches the command as well, which ends in its own way. One that comes when only the
        verification is waited for gives that up.
        """
        Thread(target=self._listen, args=(child, watched), daemon=True).start()
        code: int | None = None
        with self._open:
            while code is None or (self._waiting and not self.interrupted):
                try:
                    news = self._news.get()
                    if isinstance(news, Ended):
                        code = news.code
                        self._end()
                    else:
                        self._hear(news)
                except KeyboardInterrupt:
                    self.interrupted = code is not None
            self._drain()
        return code

    @property
    def checkpoints(self) -> "list[Checkpoint]":
        """What became of each save that was verified."""
        return self._saves.checkpoints if self._saves else []

    @property
    def last_step(self) -> int | None:
        """The highest step that any training told of."""
        told: list[AttachedTraining | TrainingPoint | Checkpoint | Unverified] = [
            *self.trainings,
            *self.points,
            *self.checkpoints,
            *self.unverified,
        ]
        return max(one.step for one in told) if self.trainings else None

    @property
    def _waiting(self) -> list[Path]:
        return self._saves.waiting if self._saves else []

    def _listen(self, child: "subprocess.Popen[bytes]", watched: CheckpointWatcher | None) -> None:
        try:
            code: int | None = None
            while code is None:
                with suppress(subprocess.TimeoutExpired):
                    code = child.wait(LISTEN)
                for news in self._attachment.read():
                    self._news.put(news)
                for save in watched.look(over=code is not None) if watched else ():
                    self._news.put(save)
            self._news.put(Ended(code))
        except Exception as error:  # a bug must reach the one who waits
            self._news.put(error)

    def _hear(self, news: "AttachedEvent | CheckpointVerification | Exception") -> None:
        match news:
            case AttachedTraining():
                self.trainings.append(news)
                self._beside().get_ready(news.python)
            case UsesModels():
                self.models = self.models or news.python
            case TrainingPoint():
                self._add(news)
            case Evaluation():
                self._recorder.metric("eval_loss", news.loss, news.step)
            case AttachedCheckpoint() if news.watched and self._is_of_a_training(news.saved.folder):
                self._keep_untold(news)
            case AttachedCheckpoint():
                self._forget_untold(news.saved.folder)
                self._beside().take(news)
            case Unverified():
                self._note(news)
            case Exception():
                raise news
            case judged:
                self._judge(judged)

    def _beside(self) -> "AttachedCheckpointVerifier":
        if self._saves is None:
            from ledger.commands.run.command.attached_checkpoints import AttachedCheckpointVerifier

            beside = AttachedCheckpointVerifier(self._recorder, self._voice, self._known, self._news.put)
            self._saves = self._open.enter_context(beside)
        return self._saves

    def _add(self, point: TrainingPoint) -> None:
        self.points.append(point)
        for name in ("loss", "grad_norm", "learning_rate"):
            self._recorder.metric(name, getattr(point, name), point.step)

    def _is_of_a_training(self, folder: Path) -> bool:
        return any(folder.is_relative_to(one.folder) for one in self.trainings)

    def _keep_untold(self, save: AttachedCheckpoint) -> None:
        """A training tells of its own saves, sooner or later; of what the script saves there, nobody does."""
        self._forget_untold(save.saved.folder)
        if save.saved.folder in self._heard:
            remove(save.saved)
        else:
            self._untold[save.saved.folder] = save

    def _forget_untold(self, folder: Path) -> None:
        if before := self._untold.pop(folder, None):
            remove(before.saved)

    @property
    def _heard(self) -> set[Path]:
        """The folders of the saves whose fate is known or waited for."""
        known = {one.folder for one in self.checkpoints} | set(self._waiting)
        return known | {one.folder for one in self.unverified if one.folder}

    def _judge(self, judged: "CheckpointVerification") -> None:
        checkpoint = self._beside().judge(judged)
        failed = checkpoint is not None and checkpoint.verdict is Verdict.FAIL
        if failed and self._stop_on_fail and self.trainings and not (self._ended or self._asked_to_stop):
            self._asked_to_stop = True
            self._attachment.stop()
            self._voice.say("ledger: on_fail is stop: the training ends at its next step")

    def _note(self, unverified: Unverified) -> None:
        if unverified in self.unverified:
            return
        self.unverified.append(unverified)
        if unverified.folder:
            self._forget_untold(unverified.folder)
        what = f"{unverified.folder.name:<18} not verified: " if unverified.folder else ""
        self._voice.say(f"ledger: {what}{unverified.reason}")

    def _end(self) -> None:
        """What nobody told of: a checkpoint that its training did not live to tell of is named, for nobody
        knows what it should be; anything else is a save of the script's own."""
        from ledger.checkpoints.folders import list_checkpoints
        from ledger.checkpoints.provenance import step_in_name

        self._ended = True
        for training in self.trainings:
            for folder in list_checkpoints(training.folder):
                step = step_in_name(folder) or 0
                if folder not in self._heard and step > training.step and _written(folder) >= self._began:
                    self._note(Unverified(UNTOLD, step, folder))
        for save in [self._untold.pop(folder) for folder in sorted(self._untold)]:
            self._beside().take(save)
        if self._waiting:
            self._voice.say(f"ledger: the command has ended; {len(self._waiting)} save(s) to verify yet")

    def _drain(self) -> None:
        """What the last judgements told of."""
        while not self._news.empty():
            if isinstance(news := self._news.get(), Unverified):
                self._note(news)


def _written(folder: Path) -> float:
    with suppress(OSError):
        return folder.stat().st_mtime
    return 0.0
