"""The spool: one file of events per run, durable on disk before the run goes on, and what was sent of it.

`<run>.jsonl` holds the events, one JSON object a line, appended only. `<run>.sent.json` holds how far a
sender got. Knows nothing of MLflow.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ledger.tracking.events import Artifact, Event

EVENTS = ".jsonl"
SENT = ".sent.json"


@dataclass(frozen=True, slots=True)
class Sent:
    """How far a run was sent: the first `offset` bytes of its events, to `destination`, as `mlflow_run`.

    `lost` says what could not be sent and never will be: a damaged line, a file that is gone.
    """

    destination: str = ""
    mlflow_run: str = ""
    offset: int = 0
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SpoolLine:
    """One whole line of a spool file. `number` counts from 1, `end` is the offset behind its newline."""

    number: int
    end: int
    data: bytes


@dataclass(frozen=True, slots=True)
class SpoolFile:
    """One run's events and the state of their sending."""

    path: Path

    @property
    def run(self) -> str:
        """The run's id."""
        return self.path.name.removesuffix(EVENTS)

    @property
    def _state(self) -> Path:
        return self.path.with_name(self.run + SENT)

    def sent(self) -> Sent:
        """How far sending got; nothing sent where the state is missing or damaged, as resending is safe."""
        try:
            state = json.loads(self._state.read_bytes())
            return Sent(**{**state, "lost": tuple(state["lost"])})
        except (OSError, ValueError, TypeError, KeyError):
            return Sent()

    def remember(self, sent: Sent) -> None:
        """Replace the state atomically. Losing the newest one costs a resending, so it is not fsynced."""
        fresh = self._state.with_name(self._state.name + ".new")
        fresh.write_text(json.dumps(asdict(sent), ensure_ascii=False), encoding="utf-8")
        fresh.replace(self._state)

    def lines(self, offset: int = 0) -> Iterator[SpoolLine]:
        """The whole lines that end behind `offset`, in order."""
        return (line for line in self._all_lines() if line.end > offset and line.data.endswith(b"\n"))

    def tail(self, offset: int = 0) -> SpoolLine | None:
        """The last line if it lies behind `offset` and lacks its newline: being written, or torn."""
        torn = (line for line in self._all_lines() if line.end > offset and not line.data.endswith(b"\n"))
        return next(torn, None)

    def unsent(self) -> int:
        """How many lines wait, a torn one among them."""
        offset = self.sent().offset
        if self.path.stat().st_size <= offset:
            return 0
        return sum(1 for line in self._all_lines() if line.end > offset)

    def _all_lines(self) -> Iterator[SpoolLine]:
        end = 0
        with self.path.open("rb") as file:
            for number, data in enumerate(file, start=1):
                end += len(data)
                yield SpoolLine(number, end, data)


@dataclass(frozen=True, slots=True)
class Spool:
    """The folder of all runs' events."""

    folder: Path

    def writer(self, run: str) -> "SpoolWriter":
        """Where `run` writes its events. Touches nothing on disk until the first one."""
        return SpoolWriter(self.folder / (run + EVENTS))

    def files(self) -> list[SpoolFile]:
        """Every run in the spool, the longest untouched first."""
        if not self.folder.is_dir():
            return []
        paths = sorted(self.folder.glob(f"*{EVENTS}"), key=lambda path: (path.stat().st_mtime_ns, path.name))
        return [SpoolFile(path) for path in paths]


class SpoolWriter:
    """Appends one run's events. One writer at a time: the run's own lock sees to that."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, *events: Event) -> None:
        """Write the events, all or none, and return when the disk has them.

        Raises OSError (no space, no permission) with the file as it was.
        """
        data = b"".join(encode(event) for event in events)
        fresh = not self.path.exists()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            _append(descriptor, data)
        finally:
            os.close(descriptor)
        if fresh:
            _sync_folder(self.path.parent)


def encode(event: Event) -> bytes:
    """One event as one line of JSON, with NaN and Infinity as Python and pydantic read and write them.

    Secrets are taken out of all but a file's path, which would no longer be the file's.
    """
    from ledger.utils.redaction import scrub_json

    values = asdict(event) if isinstance(event, Artifact) else scrub_json(asdict(event))
    text = json.dumps({"event": event.event, **values}, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace") + b"\n"


def forget(sent: Sent, destination: str) -> Sent:
    """The state of a run of which `destination` holds nothing yet."""
    return replace(sent, destination=destination, mlflow_run="", offset=0, lost=())


def _append(descriptor: int, data: bytes) -> None:
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        data = b"\n" + data  # A killed writer left a torn line: end it, so that it costs only itself.
    try:
        written = 0
        while written < len(data):
            written += os.write(descriptor, data[written:])
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, size)
        raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
