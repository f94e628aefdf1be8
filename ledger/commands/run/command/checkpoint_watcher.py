"""Finds checkpoints that appear in a folder without being reported; quiet ones count as finished."""

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock, Thread

from ledger.checkpoints.provenance import step_in_name
from runners.attach.snapshots import NEAR, Snapshots
from runners.host.attachment import AttachedCheckpoint
from runners.worker.messages import SavedCheckpoint

QUIET = 5.0  # seconds without a write: the shards of one checkpoint follow each other sooner
CONFIG = "config.json"
WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
DEPTH = 2  # levels below the watched folder that are searched for checkpoints
CLOCK_TOLERANCE = 2.0  # seconds: file systems store coarse times

Stamps = Mapping[str, tuple[int, int]]  # size in bytes and time in nanoseconds, by name


class CheckpointWatcher:
    """Watches `folder` for checkpoints written from now on. A context manager.

    `python` is the Python that can reload them.
    """

    def __init__(self, folder: Path, snapshots: Snapshots, python: Path) -> None:
        self._folder, self._snapshots, self._python = folder.absolute(), snapshots, python
        self._began = time.time() - CLOCK_TOLERANCE
        self._written: dict[Path, float] = {}  # monotonic time of the last write to a folder
        self._found: dict[Path, Stamps] = {}
        self._stopped, self._lock = Event(), Lock()
        self._thread = Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "CheckpointWatcher":
        """Begin to watch. The folder need not exist yet."""
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Stop watching."""
        self._stopped.set()
        self._thread.join()

    def finished(self, *, final: bool) -> Iterator[AttachedCheckpoint]:
        """The checkpoints finished since the last call. `final`: nothing is being written any more."""
        for folder in self._all() if final else self._quiet():
            stamps = stamps_of(folder)
            if not is_checkpoint(folder) or stamps == self._found.get(folder) or not self._is_new(stamps):
                continue
            self._found[folder] = stamps
            saved = SavedCheckpoint(step_in_name(folder) or 0, folder, self._snapshots.link(folder) or folder)
            yield AttachedCheckpoint(self._python, saved, watched=True)

    def _watch(self) -> None:
        from watchfiles import watch

        while not self._folder.is_dir():
            if self._stopped.wait(1):
                return
        self._note(*self._all())
        for changes in watch(self._folder, stop_event=self._stopped, debounce=500, raise_interrupt=False):
            self._note(*(Path(path).parent for _, path in changes))

    def _note(self, *folders: Path) -> None:
        with self._lock:
            self._written |= dict.fromkeys(folders, time.monotonic())

    def _quiet(self) -> list[Path]:
        with self._lock:
            now = time.monotonic()
            quiet = [folder for folder, then in self._written.items() if now - then >= QUIET]
            for folder in quiet:
                del self._written[folder]
        return sorted(folder for folder in quiet if self._is_ours(folder))

    def _all(self) -> list[Path]:
        patterns = ["/".join(["*"] * depth) for depth in range(1, DEPTH + 1)]
        below = [path for pattern in patterns for path in self._folder.glob(pattern) if path.is_dir()]
        return sorted(path for path in (self._folder, *below) if self._is_ours(path))

    def _is_ours(self, folder: Path) -> bool:
        inside = folder.relative_to(self._folder).parts if folder.is_relative_to(self._folder) else ("..",)
        return len(inside) <= DEPTH and not any(part == NEAR or part.startswith(".") for part in inside)

    def _is_new(self, stamps: Stamps) -> bool:
        return any(time_ns / 1e9 >= self._began for _, time_ns in stamps.values())


def is_checkpoint(folder: Path) -> bool:
    """Whether the folder holds a model's config and weights."""
    return (folder / CONFIG).is_file() and any(True for pattern in WEIGHTS for _ in folder.glob(pattern))


def stamps_of(folder: Path) -> Stamps:
    """The stamps of the files that make up the model: its config and weights."""
    stamps = {}
    for path in (folder / CONFIG, *(path for pattern in WEIGHTS for path in folder.glob(pattern))):
        with suppress(OSError):
            found = path.stat()
            stamps[path.name] = (found.st_size, found.st_mtime_ns)
    return stamps


def changed_since(folder: Path, before: Stamps) -> bool:
    """Whether the checkpoint still exists, with other files than before."""
    return folder.is_dir() and stamps_of(folder) != before
