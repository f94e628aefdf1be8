"""Checkpoints that appear in a folder without being told of: found, and finished once they are quiet."""

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from threading import Event, Lock, Thread

from ledger.checkpoints.provenance import step_in_name
from runners.attach.snapshots import NEAR, Snapshots
from runners.host.attachment import AttachedCheckpoint
from runners.host.training import SavedCheckpoint

QUIET = 5.0  # seconds without a write: shards of one save follow each other sooner
CONFIG = "config.json"
WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
DEPTH = 2  # folders below the watched one that may be checkpoints
CLOCKS = 2.0  # seconds: file systems keep coarse times

Stamps = Mapping[str, tuple[int, int]]  # size in bytes and time in nanoseconds, by name


class CheckpointWatcher:
    """Watches `folder` for checkpoints that are written from now on. A context manager.

    `python` is the Python that reloads them, as it is known when one is found.
    """

    def __init__(self, folder: Path, snapshots: Snapshots, python: Path) -> None:
        self.python = python
        self._folder, self._snapshots = folder.absolute(), snapshots
        self._began = time.time() - CLOCKS
        self._written: dict[Path, float] = {}  # when a folder was last written to, by our own clock
        self._found: dict[Path, Stamps] = {}
        self._over, self._lock = Event(), Lock()
        self._thread = Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "CheckpointWatcher":
        """Begin to watch. The folder need not be there yet."""
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Watch no more."""
        self._over.set()
        self._thread.join()

    def look(self, *, over: bool) -> Iterator[AttachedCheckpoint]:
        """The saves that were finished since the last look. `over`: nobody writes any more."""
        for folder in self._all() if over else self._quiet():
            stamps = stamps_of(folder)
            if not is_checkpoint(folder) or stamps == self._found.get(folder) or not self._is_new(stamps):
                continue
            self._found[folder] = stamps
            snapshot = self._snapshots.link(folder) or folder
            yield AttachedCheckpoint(
                self.python,
                SavedCheckpoint(step_in_name(folder) or 0, folder, snapshot, 0.0, 0.0),
                watched=True,
            )

    def _watch(self) -> None:
        from watchfiles import watch

        while not self._folder.is_dir():
            if self._over.wait(1):
                return
        self._note(*self._all())
        for changes in watch(self._folder, stop_event=self._over, debounce=500, raise_interrupt=False):
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
    """Whether a model's config and weights are in it."""
    return (folder / CONFIG).is_file() and any(True for pattern in WEIGHTS for _ in folder.glob(pattern))


def stamps_of(folder: Path) -> Stamps:
    """Of the files that make the model: its config and weights."""
    stamps = {}
    for path in (folder / CONFIG, *(path for pattern in WEIGHTS for path in folder.glob(pattern))):
        with suppress(OSError):
            found = path.stat()
            stamps[path.name] = (found.st_size, found.st_mtime_ns)
    return stamps


def remove(saved: SavedCheckpoint) -> None:
    """Drop a snapshot, and the folders that it leaves empty."""
    if saved.snapshot == saved.folder:
        return  # there are no hard links here: it was verified in its own place
    rmtree(saved.snapshot, ignore_errors=True)
    with suppress(OSError):
        for folder in list(saved.snapshot.parents)[:3]:
            folder.rmdir()  # as far as they are empty
