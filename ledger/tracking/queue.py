"""Which runs still have to be sent, and how much of each was sent. Knows nothing of MLflow.

The journal and the run folders are the queue: a run with a folder in `.ledger/runs/` was made here, and its
entries and its metric series are what is sent. `.ledger/tracking/runs/RUN.json` holds how much of it was.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ledger.errors import LedgerError
from ledger.journal.runs import IMPORTED, is_alive
from ledger.journal.store import Entry, open_journal, parse_sound, split_tail
from ledger.tracking.content import FINISHED, STARTED, EntryContent, TrackedTable, content_of
from ledger.tracking.series import SAMPLES, SERIES, SeriesLine, read_lines
from ledger.tracking.status import tracking_folder
from ledger.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Sent:
    """How much of a run was sent to `destination`, where it is the MLflow run `mlflow_run`.

    `entries` are the ids of the journal entries, `series` the bytes of the series file. `lost` lists what
    could not be sent and never will be: a damaged line, a file that is gone.
    """

    destination: str = ""
    mlflow_run: str = ""
    entries: tuple[str, ...] = ()
    series: int = 0
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QueuedRun:
    """One run of this machine. `entries` are its starts and ends, in the order of the journal."""

    workspace: Workspace
    id: str
    entries: tuple[Entry, ...]

    @property
    def folder(self) -> Path:
        """The run's folder, which holds its series and samples."""
        return self.workspace.runs / self.id

    @property
    def is_open(self) -> bool:
        """Whether it was started and has not ended: it runs, or was interrupted."""
        return self.entries[-1].kind == STARTED

    @property
    def size(self) -> tuple[int, int]:
        """How much of it there is now: entries, and bytes of its series."""
        path = self.folder / SERIES
        return len(self.entries), path.stat().st_size if path.is_file() else 0

    def sent(self) -> Sent:
        """How much was sent; nothing where the state is missing or damaged, as sending again is safe."""
        try:
            state = json.loads(_state_path(self.workspace, self.id).read_bytes())
            return Sent(**{**state, "entries": tuple(state["entries"]), "lost": tuple(state["lost"])})
        except (OSError, ValueError, TypeError, KeyError):
            return Sent()

    def remember(self, sent: Sent) -> None:
        """Replace the state."""
        remember(self.workspace, self.id, sent)

    def content(self, entry: Entry) -> EntryContent:
        """What MLflow is sent for an entry."""
        return content_of(entry, self.workspace.root, self._samples())

    def lines(self, offset: int = 0) -> Iterator[SeriesLine]:
        """The series after byte `offset`, less a torn last line that a live process may be writing."""
        for line in read_lines(self.folder, offset):
            if not line.torn or not is_alive(self.workspace.runs, self.id):
                yield line

    def unsent(self) -> int:
        """How many events and metric points are not sent yet."""
        sent = self.sent()
        _, size = self.size
        waiting = [entry for entry in self.entries if entry.id not in sent.entries]
        points = sum(1 for _ in self.lines(sent.series)) if size > sent.series else 0
        return points + sum(self.content(entry).count for entry in waiting)

    def _samples(self) -> TrackedTable | None:
        try:
            table = json.loads((self.folder / SAMPLES).read_bytes())
            return TrackedTable("samples", tuple(table["columns"]), tuple(map(tuple, table["data"])))
        except (OSError, ValueError, TypeError, KeyError):
            return None


def remember(workspace: Workspace, run: str, sent: Sent) -> None:
    """Store how much of a run was sent. Not flushed: losing it only costs sending again."""
    path = _state_path(workspace, run)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(json.dumps(asdict(sent), ensure_ascii=False), encoding="utf-8")
    fresh.replace(path)


def _state_path(workspace: Workspace, run: str) -> Path:
    return tracking_folder(workspace.root) / "runs" / f"{run}.json"


def forget(sent: Sent, destination: str) -> Sent:
    """The state of a run of which `destination` holds nothing yet."""
    return replace(sent, destination=destination, mlflow_run="", entries=(), series=0, lost=())


def queued_runs(workspace: Workspace) -> list[QueuedRun]:
    """The runs that were made on this machine, in the order in which they started."""
    if not workspace.runs.is_dir():
        return []
    here = {path.name for path in workspace.runs.iterdir()}
    recorded = recorded_runs(workspace).items()
    runs = [QueuedRun(workspace, run, entries) for run, entries in recorded if run in here]
    return sorted(runs, key=lambda run: run.entries[0].time)


def recorded_runs(workspace: Workspace) -> dict[str, tuple[Entry, ...]]:
    """The starts and ends of every run in the journals, made here or elsewhere.

    A line that is not an entry is skipped: `ledger fsck` reports it.
    """
    found: dict[str, dict[str, Entry]] = {}
    for mode in ("real", "rehearsal"):
        for entry in parse_sound(split_tail(open_journal(workspace, mode).read()).sound):
            if run := _run_of(entry):
                found.setdefault(run, {})[entry.id] = entry  # a merge may have doubled one
    return {run: tuple(entries.values()) for run, entries in found.items()}


def _run_of(entry: Entry) -> str:
    """The run that an entry starts, ends or imports; empty for any other entry and for a damaged one."""
    if entry.kind not in (STARTED, FINISHED, IMPORTED):
        return ""
    try:
        return str(entry.body.get("run"))
    except LedgerError:
        return ""
