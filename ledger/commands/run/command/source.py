"""The trainings inside a command, as a source of events for the checkpoint monitor.

One thread waits for the command, reads what our hooks report from its processes, and asks the folder watcher
for further checkpoints.
"""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Thread

from ledger.commands.run.command.checkpoint_watcher import CheckpointWatcher, changed_since, stamps_of
from ledger.commands.run.monitor import CheckpointMonitor, Ended, Event
from ledger.utils.plural import count
from runners.host.attachment import AttachedCheckpoint, AttachedEvent, Attachment
from runners.host.training import TrainingEvent
from runners.worker.messages import AttachedTraining, SavedModel, Unverified, UsesModels

POLL = 0.2  # seconds between two reads of the events
OWN_SAVE = "the program saved it itself; name its folder with --watch"
UNREPORTED = "the training ended before reporting it"


class CommandSource:
    """A running command. `trainings` are those that began, `models` is the first Python that used models.

    An interrupt from the terminal reaches the command as well, which ends in its own way. Where
    `is_urgent()`, nothing more is verified once it has ended.
    """

    survives_interrupt = True

    def __init__(
        self,
        monitor: CheckpointMonitor,
        attachment: Attachment,
        child: "subprocess.Popen[bytes]",
        watcher: CheckpointWatcher | None = None,
        is_urgent: Callable[[], bool] = lambda: False,
    ) -> None:
        self.trainings: list[AttachedTraining] = []
        self.models: Path | None = None
        self._monitor, self._attachment, self._child, self._watcher = monitor, attachment, child, watcher
        self._is_urgent = is_urgent
        self._saved: dict[Path, str] = {}  # folders with a model, and why they cannot be verified
        self._unreported: dict[Path, AttachedCheckpoint] = {}  # found in a training's folder by the watcher
        self._began = time.time()

    @property
    def is_filtered(self) -> bool:
        """Whether a training has the filter on: it is by default."""
        return any(one.filtered for one in self.trainings)

    @contextmanager
    def reporting(self, post: Callable[[Event], None]) -> Iterator[None]:
        """Post events until the command has ended."""
        Thread(target=self._poll, args=(post,), daemon=True).start()
        yield

    def _poll(self, post: Callable[[Event], None]) -> None:
        try:
            code: int | None = None
            while code is None:
                with suppress(subprocess.TimeoutExpired):
                    code = self._child.wait(POLL)
                for event in self._attachment.read():
                    post(event)
                for saved in self._watcher.finished(final=code is not None) if self._watcher else ():
                    post(saved)
            post(Ended())
        except Exception as error:  # raised again by the thread that waits for `Ended`
            post(error)

    def handle(self, event: TrainingEvent | AttachedEvent | Ended) -> None:
        """Collect trainings, and have their checkpoints verified."""
        match event:
            case AttachedTraining():
                self.trainings.append(event)
                self._monitor.prepare(event.python)
            case UsesModels():
                self.models = self.models or event.python
            case SavedModel():  # what can be reloaded may be next to what cannot
                self._saved[event.folder] = event.reason and self._saved.get(event.folder, event.reason)
            case AttachedCheckpoint() if event.watched and self._is_of_a_training(event.saved.folder):
                self._await_report(event)
            case AttachedCheckpoint():
                self._forget_unreported(event.saved.folder)
                self._verify(event)
            case Unverified():
                if event.folder:
                    self._forget_unreported(event.folder)
                self._monitor.note_unverified(event)
            case Ended():
                self._end()

    def stop(self) -> bool:
        """Ask all trainings in the command to end."""
        if self.trainings:
            self._attachment.stop()
        return bool(self.trainings)

    def _end(self) -> None:
        """Deal with checkpoints that were never reported.

        What a training should have reported is only named: nobody knows what it should contain. Any other
        checkpoint was saved by the script itself, and is verified.
        """
        from ledger.checkpoints.folders import list_checkpoints
        from ledger.checkpoints.provenance import step_in_name

        for training in self.trainings:
            for folder in list_checkpoints(training.folder):
                step = step_in_name(folder) or 0
                known = folder in self._monitor.accounted_for
                if not known and step > training.step and _written(folder) >= self._began:
                    self._forget_unreported(folder)
                    self._monitor.note_unverified(Unverified(UNREPORTED, step, folder))
        for folder in sorted(self._unreported):
            self._verify(self._unreported.pop(folder))
        for folder, reason in self._saved.items():
            if folder not in self._monitor.accounted_for and folder.is_dir():
                step = step_in_name(folder) or 0
                self._monitor.note_unverified(Unverified(reason or OWN_SAVE, step, folder))
        if self._is_urgent():
            self._monitor.interrupted = True
        elif left := len(self._monitor.pending):
            self._monitor.say(f"the command has ended; still verifying {count(left, 'checkpoint')}")

    def _verify(self, checkpoint: AttachedCheckpoint) -> None:
        folder = checkpoint.saved.folder
        overwritten = partial(changed_since, folder, stamps_of(folder))
        self._monitor.verify(checkpoint.saved, checkpoint.python, overwritten)

    def _is_of_a_training(self, folder: Path) -> bool:
        return any(folder.is_relative_to(one.folder) for one in self.trainings)

    def _await_report(self, checkpoint: AttachedCheckpoint) -> None:
        """A training reports its own checkpoints, sooner or later; those of the script are not reported."""
        folder = checkpoint.saved.folder
        self._forget_unreported(folder)
        if folder in self._monitor.accounted_for:
            checkpoint.saved.drop_snapshot()
        else:
            self._unreported[folder] = checkpoint

    def _forget_unreported(self, folder: Path) -> None:
        if before := self._unreported.pop(folder, None):
            before.saved.drop_snapshot()


def _written(folder: Path) -> float:
    with suppress(OSError):
        return folder.stat().st_mtime
    return 0.0
