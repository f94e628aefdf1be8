"""The saves of a command: each is reloaded with the Python that made it, judged, recorded and marked."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from ledger.commands.reporter import Reporter
from ledger.commands.run.command.checkpoint_watcher import Stamps, remove, stamps_of
from ledger.commands.run.recorder import Recorder
from ledger.commands.run.training.loop import Checkpoint, to_checkpoint, told
from ledger.commands.verify.background import BackgroundVerifier, CheckpointVerification, record_checkpoint
from ledger.commands.verify.values import VerificationContext
from ledger.environments.environment import Environment
from ledger.errors import LedgerError
from ledger.findings import Verdict
from ledger.journal.runs import find, load_runs
from runners.environments.inspection import capture
from runners.host.attachment import AttachedCheckpoint, Unverified
from runners.host.training import SavedCheckpoint

OVERWRITTEN = "it was overwritten by a later save before it could be verified"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A save that is being verified, and its files as they were when it was told."""

    save: AttachedCheckpoint
    before: Stamps


class AttachedCheckpointVerifier:
    """Verifies saves one after the other, for each Python that saves in a worker of its own.

    A context manager: leaving it ends the workers and removes the snapshots. `tell` is given what became of
    each save, and hands it back by `judge` in its own time. `checkpoints` is every save's fate so far.
    """

    def __init__(
        self,
        recorder: Recorder,
        voice: Reporter,
        known: Mapping[Path, Environment],
        tell: Callable[[CheckpointVerification | Exception | Unverified], None],
    ) -> None:
        self.checkpoints: list[Checkpoint] = []
        self._recorder, self._voice, self._tell = recorder, voice, tell
        self._environments = dict(known)
        self._verifiers: dict[Path, tuple[BackgroundVerifier, VerificationContext]] = {}
        self._waiting: list[Waiting] = []
        self._passed: dict[Path, SavedCheckpoint] = {}  # the last one of each folder of snapshots
        self._open = ExitStack()

    def __enter__(self) -> "AttachedCheckpointVerifier":
        return self

    def __exit__(self, *error: object) -> None:
        """End the workers, whatever they are doing."""
        self._open.close()
        for saved in (*self._passed.values(), *(one.save.saved for one in self._waiting)):
            remove(saved)

    @property
    def waiting(self) -> list[Path]:
        """The folders of the saves that are not judged yet."""
        return [one.save.saved.folder for one in self._waiting]

    def get_ready(self, python: Path) -> BackgroundVerifier | None:
        """The one that reloads with this Python, made at the first need; None where that cannot be asked."""
        if python not in self._verifiers:
            try:
                environment = self._environments.get(python) or capture(python)
            except LedgerError as error:
                self._tell(Unverified(error.message))
                return None
            self._recorder.environment(environment)
            workspace = self._recorder.workspace
            runs = tuple(load_runs(workspace))
            run = find(runs, self._recorder.run)
            setting = VerificationContext(workspace, environment, runs=runs, run=run, health=None)
            verifier = BackgroundVerifier(python, self._recorder.folder / "verify.log", setting, self._tell)
            self._verifiers[python] = self._open.enter_context(verifier), setting
        return self._verifiers[python][0]

    def take(self, save: AttachedCheckpoint) -> None:
        """Verify this save when those before it are done."""
        verifier = self.get_ready(save.python)
        if verifier is None:
            remove(save.saved)
            return
        self._waiting.append(Waiting(save, stamps_of(save.saved.folder)))
        verifier.take(save.saved)

    def judge(self, judged: CheckpointVerification) -> Checkpoint | None:
        """Record and tell what became of a save; None for one that was overwritten meanwhile."""
        saved = judged.saved
        # By identity: without hard links two saves into one folder are alike.
        waiting = next(one for one in self._waiting if one.save.saved is saved)
        self._waiting = [one for one in self._waiting if one is not waiting]
        found = to_checkpoint(judged, judged.verified)
        if found.verdict is not Verdict.PASS and _changed(saved.folder, waiting.before):
            self._tell(Unverified(OVERWRITTEN, saved.step, saved.folder))
            remove(saved)
            return None
        _, setting = self._verifiers[waiting.save.python]
        checkpoint = to_checkpoint(judged, record_checkpoint(setting, judged, self._voice.say))
        if saved.folder.is_file():
            checkpoint = replace(checkpoint, marked=False)  # a file bears no mark; its snapshot does not stay
        self.checkpoints.append(checkpoint)
        for name, score in (("bleu_memory", checkpoint.memory), ("bleu_reloaded", checkpoint.reloaded)):
            self._recorder.metric(name, score.value if score else None, checkpoint.step)
        for line in told(checkpoint):
            self._voice.say(f"ledger: {line}")
        self._forget(saved, marked=checkpoint.marked)
        return checkpoint

    def _forget(self, saved: SavedCheckpoint, *, marked: bool) -> None:
        """The newest snapshot that passed stays: the scores of the next ones are held against its mark."""
        done: SavedCheckpoint | None = saved
        if marked:
            done = self._passed.get(saved.snapshot.parent)
            self._passed[saved.snapshot.parent] = saved
        if done is not None:
            remove(done)


def _changed(folder: Path, before: Stamps) -> bool:
    """Whether the save's files are others than they were, though it is still there."""
    return folder.is_dir() and stamps_of(folder) != before
