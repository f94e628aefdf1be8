"""A command while it runs: what its trainings tell is heard, and each save is verified beside them.

One thread waits for the command and reads its events, one verifies for each Python that saves; all put news
into a queue, so that the record and the terminal are one thread's.
"""

import subprocess
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from shutil import rmtree
from threading import Thread

from ledger.checkpoint import list_checkpoints
from ledger.environment import Environment
from ledger.errors import LedgerError
from ledger.findings import Verdict
from ledger.flows.beside import Judged, Verifier, record_save
from ledger.flows.finished_saves import FinishedSaves, Stamps, stamps_of
from ledger.flows.record import Recorder
from ledger.flows.training_loop import Checkpoint, to_checkpoint, told
from ledger.flows.verify import Setting
from ledger.flows.voice import Voice
from ledger.lineage import step_in_name
from ledger.runs import find, load_runs
from ledger.training_evidence import TrainingPoint
from runners.attachment import Attachment, Models, News, Save, Training, Unverified
from runners.environment import capture
from runners.training import Evaluation, Saved

LISTEN = 0.2  # seconds between two looks at what was told
OVERWRITTEN = "it was overwritten by a later save before it could be verified"
UNTOLD = "the training was ended before it could tell of it"


Told = Training | TrainingPoint | Checkpoint | Unverified  # whatever has a step


@dataclass(frozen=True, slots=True)
class Ended:
    """The command ended with that code, as `subprocess` has it, and all that it told was heard."""

    code: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A save that is being verified, in the environment of `python`, and its files as they were when told."""

    save: Save
    before: Stamps


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
        voice: Voice,
        known: Mapping[Path, Environment],
        *,
        stop_on_fail: bool,
    ) -> None:
        self.checkpoints: list[Checkpoint] = []
        self.points: list[TrainingPoint] = []
        self.unverified: list[Unverified] = []
        self.trainings: list[Training] = []
        self.models: Path | None = None
        self.interrupted = False
        self._attachment, self._recorder, self._voice = attachment, recorder, voice
        self._environments = dict(known)
        self._stop_on_fail = stop_on_fail
        self._news: SimpleQueue[News | Judged | Exception | Ended] = SimpleQueue()
        self._verifiers: dict[Path, tuple[Verifier, Setting]] = {}
        self._waiting: dict[Path, Waiting] = {}
        self._judged: dict[Path, Saved] = {}  # the last one of each folder of snapshots
        self._open = ExitStack()
        self._began = time.time()

    def run(self, child: "subprocess.Popen[bytes]", watched: FinishedSaves | None = None) -> int:
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
        self._tidy()
        return code

    @property
    def last_step(self) -> int | None:
        """The highest step that any training told of."""
        told: list[Told] = [*self.trainings, *self.points, *self.checkpoints, *self.unverified]
        return max(one.step for one in told) if self.trainings else None

    def _listen(self, child: "subprocess.Popen[bytes]", watched: FinishedSaves | None) -> None:
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

    def _hear(self, news: "News | Judged | Exception") -> None:
        match news:
            case Training():
                self.trainings.append(news)
                self._get_ready(news.python)
            case Models():
                self.models = self.models or news.python
            case TrainingPoint():
                self._add(news)
            case Evaluation():
                self._recorder.metric("eval_loss", news.loss, news.step)
            case Save():
                self._take(news)
            case Unverified():
                self._note(news)
            case Judged():
                self._judge(news)
            case Exception():
                raise news

    def _add(self, point: TrainingPoint) -> None:
        self.points.append(point)
        for name in ("loss", "grad_norm", "learning_rate"):
            self._recorder.metric(name, getattr(point, name), point.step)

    def _take(self, save: Save) -> None:
        saved = save.saved
        if save.watched and any(saved.folder.is_relative_to(one.folder) for one in self.trainings):
            self._remove(saved)  # the training tells of its saves itself
            return
        verifier = self._get_ready(save.python)
        if verifier is None:
            self._remove(saved)
            return
        self._waiting[saved.snapshot] = Waiting(save, stamps_of(saved.folder))
        verifier.take(saved)

    def _get_ready(self, python: Path) -> Verifier | None:
        """The one that reloads with this Python, made at the first need; None where that cannot be asked."""
        if python not in self._verifiers:
            try:
                environment = self._environments.get(python) or capture(python)
            except LedgerError as error:
                self._note(Unverified(error.message))
                return None
            self._recorder.environment(environment)
            workspace = self._recorder.workspace
            runs = tuple(load_runs(workspace))
            run = find(runs, self._recorder.run)
            setting = Setting(workspace, environment, runs=runs, run=run, health=None)
            verifier = Verifier(python, self._recorder.folder / "verify.log", setting, self._news.put)
            self._verifiers[python] = self._open.enter_context(verifier), setting
        return self._verifiers[python][0]

    def _judge(self, judged: Judged) -> None:
        waiting = self._waiting.pop(judged.saved.snapshot)
        saved = judged.saved
        found = to_checkpoint(judged, judged.verified)
        if found.verdict is not Verdict.PASS and _changed(saved.folder, waiting.before):
            self._note(Unverified(OVERWRITTEN, saved.step, saved.folder))
            self._remove(saved)
            return
        _, setting = self._verifiers[waiting.save.python]
        checkpoint = to_checkpoint(judged, record_save(setting, judged, self._voice.say))
        if saved.folder.is_file():
            checkpoint = replace(checkpoint, marked=False)  # a file bears no mark; its snapshot does not stay
        self.checkpoints.append(checkpoint)
        for name, score in (("bleu_memory", checkpoint.memory), ("bleu_reloaded", checkpoint.reloaded)):
            self._recorder.metric(name, score.value if score else None, checkpoint.step)
        for line in told(checkpoint):
            self._voice.say(f"ledger: {line}")
        if checkpoint.verdict is Verdict.FAIL and self._stop_on_fail and self.trainings:
            self._attachment.stop()
            self._voice.say("ledger: on_fail is stop: the training ends at its next step")
        self._forget_older(saved)

    def _note(self, unverified: Unverified) -> None:
        if unverified in self.unverified:
            return
        self.unverified.append(unverified)
        what = f"{unverified.folder.name:<18} not verified: " if unverified.folder else ""
        self._voice.say(f"ledger: {what}{unverified.reason}")

    def _end(self) -> None:
        """Checkpoints that a training did not live to tell of are named: nobody knows what they should be."""
        heard = {one.folder for one in self.checkpoints} | {one.folder for one in self.unverified}
        heard |= {one.save.saved.folder for one in self._waiting.values()}
        for training in self.trainings:
            for folder in list_checkpoints(training.folder):
                step = step_in_name(folder) or 0
                if folder not in heard and step > training.step and _written(folder) >= self._began:
                    self._note(Unverified(UNTOLD, step, folder))
        if self._waiting:
            self._voice.say(f"ledger: the command has ended; {len(self._waiting)} save(s) to verify yet")

    def _forget_older(self, saved: Saved) -> None:
        """The newest judged snapshot stays until the next one is, whose score is held against its mark."""
        before = self._judged.get(saved.snapshot.parent)
        if before is not None:
            self._remove(before)
        self._judged[saved.snapshot.parent] = saved

    def _remove(self, saved: Saved) -> None:
        if saved.snapshot == saved.folder:
            return  # there are no hard links here: it was verified in its own place
        rmtree(saved.snapshot, ignore_errors=True)
        with suppress(OSError):
            for folder in list(saved.snapshot.parents)[:3]:
                folder.rmdir()  # as far as they are empty

    def _tidy(self) -> None:
        for saved in (*self._judged.values(), *(one.save.saved for one in self._waiting.values())):
            self._remove(saved)


def _written(folder: Path) -> float:
    with suppress(OSError):
        return folder.stat().st_mtime
    return 0.0


def _changed(folder: Path, before: Stamps) -> bool:
    """Whether the save's files are others than they were, though it is still there."""
    return folder.is_dir() and stamps_of(folder) != before
