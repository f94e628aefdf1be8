"""Runs, read from the entries of a journal: how each ended, and which of its findings were accepted."""

import gc
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from ledger.errors import UsageError
from ledger.findings import Json
from ledger.journal.run import Acceptance, RecordedReproduction, Run, Status
from ledger.journal.store import Entry, Journal, open_journal
from ledger.utils.paths import relative_if_inside
from ledger.workspace import Workspace

REPRODUCED = "run.reproduced"
IMPORTED = "run.imported"


def is_alive(runs: Path, run: str) -> bool:
    """Whether a process holds the lock in the run's folder under `runs`."""
    lock = runs / run / "lock"
    if not lock.exists():
        return False
    from filelock import FileLock, Timeout

    try:
        with FileLock(lock, blocking=False):
            return False
    except Timeout:
        return True


def read_runs(entries: Iterable[Entry], alive: Callable[[str], bool] = lambda _run: False) -> list[Run]:
    """The runs of one journal, oldest first. `alive` says whether a run without an end is still running."""
    collected: defaultdict[str, _RunEntries] = defaultdict(_RunEntries)
    for entry in {entry.id: entry for entry in entries}.values():  # a git merge may duplicate a line
        if entry.kind in _HANDLERS:
            _HANDLERS[entry.kind](collected, entry)
    runs = [one.run(run, alive) for run, one in collected.items() if one.started]
    return sorted(runs, key=lambda run: run.time)


def load_runs(workspace: Workspace) -> list[Run]:
    """Every run of the journal and of the rehearsals' journal, oldest first."""
    return load_record(workspace)[0]


def load_record(workspace: Workspace) -> tuple[list[Run], list[Entry]]:
    """Every run, oldest first, and every entry of both journals, read once."""
    read: list[Entry] = []

    def collect(entries: list[Entry]) -> list[Entry]:
        read.extend(entries)
        return entries

    return _both(workspace, lambda journal: collect(journal.entries())), read


def latest_runs(workspace: Workspace, count: int) -> list[Run]:
    """The `count` runs that started last, oldest first, reading no more entries than they need."""

    def select(journal: Journal) -> list[Entry]:
        with journal.index() as index:
            if index is None or index.damaged:
                return _since(journal.entries(), count)
            return journal.at(index.places_from(index.first_of_latest(count)))

    return _both(workspace, select)[-count:]


def find_run(workspace: Workspace, name: str) -> Run:
    """The run that `find` gives among all runs, reading no more entries than those about it.

    Raises UsageError as `find` does.
    """
    return find(load_named(workspace, [name])[0], name)


def load_named(workspace: Workspace, names: Sequence[str]) -> tuple[list[Run], list[Entry]]:
    """The runs that `find` gives for these names, with the entries about them and about environments.

    Everything, where one of them has to be searched for.
    """
    journals = [open_journal(workspace, mode) for mode in ("real", "rehearsal")]
    found: list[list[Entry]] = [[], []]
    for name in names:
        about = [_named(journal, name) for journal in journals]
        if None in about or sum(map(bool, about)) != 1:
            return load_record(workspace)
        for entries, more in zip(found, about, strict=True):
            entries.extend(more or [])
    alive = partial(is_alive, workspace.runs)
    runs = [run for entries in found for run in read_runs(entries, alive)]
    environments = [entry for journal in journals for entry in _of_kind(journal, "environment")]
    return sorted(runs, key=lambda run: run.time), [*found[0], *found[1], *environments]


def _of_kind(journal: Journal, kind: str) -> list[Entry]:
    with journal.index() as index:
        if index is None:
            return [entry for entry in journal.entries() if entry.kind == kind]
        return journal.at(index.places_of_kind(kind))


def _named(journal: Journal, name: str) -> list[Entry] | None:
    """The entries about the run of that name; empty for none, None where the whole must be read."""
    with journal.index() as index:
        if index is None:
            return _named_in(journal.entries(), name)
        if index.damaged:
            return None
        starts = index.starts(name)
        run = _chosen(starts, name)
        if not run:
            return [] if run is None else None
        experiment = next(one[1] for one in reversed(starts) if one[0] == run)
        return journal.at(index.places_of_run(run, experiment))


def _named_in(entries: list[Entry], name: str) -> list[Entry] | None:
    """The same, where all entries have been read: all of them, if a run may be meant."""
    bodies = (entry.body for entry in entries if entry.kind in _STARTS)
    meant = any(one.get("experiment") == name or str(one.get("run")).startswith(name) for one in bodies)
    return entries if meant else []


def _chosen(starts: Sequence[tuple[str, str, str, str]], name: str) -> str | None:
    """The run that `find` gives, by the starts of those that may be meant; None for none, "" if unclear."""
    times: dict[str, str] = {}
    for run, _, _, time in starts:
        times.setdefault(run, time)
    if not times:
        return None
    latest = {run: (experiment, kind) for run, experiment, kind, _ in starts}
    of_experiment = [run for run in times if latest[run][0] == name]
    observed = [run for run in of_experiment if latest[run][1] != IMPORTED]
    exact = [name] if name in times else observed or of_experiment
    if not exact and len(times) > 1:
        return ""
    run = max(exact or times, key=times.__getitem__)
    at_once = sum(times[one] == times[run] for one in exact) > 1
    return "" if at_once else run  # the order of two that started at once is that of the whole


def find(runs: Sequence[Run], name: str) -> Run:
    """The run called `name`: its id, a prefix of one id only, or the latest run of that experiment.

    Observed runs of an experiment take precedence over imported ones, however recent the import.
    Raises UsageError, with the nearest names, where no run or more than one matches.
    """
    named = [run for run in runs if run.experiment == name]
    observed = [run for run in named if run.status != "claimed"]
    exact = [run for run in runs if run.id == name] or observed or named
    if exact:
        return exact[-1]
    prefixed = [run for run in runs if name and run.id.startswith(name)]
    if len(prefixed) == 1:
        return prefixed[0]
    if prefixed:
        ids = ", ".join(run.id for run in prefixed[-5:])
        raise UsageError(f"{len(prefixed)} runs begin with {name!r}", hint=f"say which: {ids}")
    raise UsageError(f"no run or experiment is called {name!r}", hint=nearest(runs, name))


def nearest(runs: Sequence[Run], name: str) -> str:
    """A hint with the recorded names most like `name`."""
    if not runs:
        return "nothing is recorded yet; start with: ledger run EXPERIMENT --rehearse"
    import difflib

    names = list(dict.fromkeys(known for run in reversed(runs) for known in (run.experiment, run.id)))
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(close)}?" if close else "list the runs with: ledger log --all"


def files_of(workspace: Workspace, run: Run) -> dict[str, Json]:
    """A run's files by name, relative to the repository; only those that exist."""
    folder = workspace.runs / run.id
    output = run.output.path if run.output else ""
    paths = {"run folder": folder, "output": workspace.root / output if output else None}
    paths |= {path.name: path for path in sorted(folder.glob("*.log"))}
    return {
        name: relative_if_inside(path, workspace.root)
        for name, path in paths.items()
        if path and path.exists()
    }


class _RunEntries:
    """The entries of one run, collected in file order."""

    def __init__(self) -> None:
        self.started: list[Entry] = []
        self.ended: Entry | None = None
        self.finished: Mapping[str, Json] | None = None
        self.acceptances: list[Acceptance] = []
        self.entries: list[str] = []
        self.reproductions: list[RecordedReproduction] = []

    def run(self, run: str, alive: Callable[[str], bool]) -> Run:
        body = self.started[-1].body
        return Run(
            id=run,
            experiment=str(body.get("experiment", "")),
            mode=str(body.get("mode", "real")),
            time=self.started[0].time,
            status=self._status(run, alive),
            started=body,
            finished=self.finished,
            acceptances=tuple(self.acceptances),
            entries=tuple(self.entries),
            reproductions=tuple(self.reproductions),
        )

    def _status(self, run: str, alive: Callable[[str], bool]) -> Status:
        if self.started[-1].kind == IMPORTED:
            return "claimed"
        if self.ended is None:
            return "running" if alive(run) else "interrupted"
        status = self.ended.body.get("status")
        return status if status in ("failed", "interrupted") else "finished"


def _add_start(runs: defaultdict[str, _RunEntries], entry: Entry) -> None:
    one = runs[str(entry.body.get("run"))]
    one.started.append(entry)
    one.ended = None  # a resumed run has not ended
    one.entries.append(entry.id)


def _add_finish(runs: defaultdict[str, _RunEntries], entry: Entry) -> None:
    one = runs[str(entry.body.get("run"))]
    one.ended, one.finished = entry, entry.body
    one.entries.append(entry.id)


def _add_import(runs: defaultdict[str, _RunEntries], entry: Entry) -> None:
    one = runs[str(entry.body.get("run"))]
    one.started.append(entry)
    one.finished = {"report": entry.body.get("report")}  # findings about contradictions in the source
    one.entries.append(entry.id)


def _add_acceptance(runs: defaultdict[str, _RunEntries], entry: Entry) -> None:
    body = entry.body
    accepted = Acceptance(body["code"], body["why"], body.get("who", ""), entry.time)
    for run, one in runs.items():
        # An acceptance without a run applies to every run that its experiment had by then.
        of_run = body.get("run") == run
        of_experiment = (
            body.get("run") is None
            and one.started
            and one.started[-1].body.get("experiment") == body["experiment"]
        )
        if of_run or of_experiment:
            one.acceptances.append(accepted)
            one.entries.append(entry.id)


def _add_reproduction(runs: defaultdict[str, _RunEntries], entry: Entry) -> None:
    one = runs[str(entry.body.get("run"))]
    one.reproductions.append(RecordedReproduction(str(entry.body.get("result")), entry.time, entry.body))
    one.entries.append(entry.id)


_STARTS = ("run.started", IMPORTED)
_HANDLERS: dict[str, Callable[[defaultdict[str, _RunEntries], Entry], None]] = {
    "run.started": _add_start,
    "run.finished": _add_finish,
    "acceptance": _add_acceptance,
    REPRODUCED: _add_reproduction,
    IMPORTED: _add_import,
}


def _both(workspace: Workspace, select: Callable[[Journal], list[Entry]]) -> list[Run]:
    journals = (open_journal(workspace, mode) for mode in ("real", "rehearsal"))
    alive = partial(is_alive, workspace.runs)
    with _garbage_collection_off():
        found = [run for journal in journals for run in read_runs(select(journal), alive)]
    return sorted(found, key=lambda run: run.time)


@contextmanager
def _garbage_collection_off() -> Iterator[None]:
    """Reading ten thousand entries makes a million objects, none of them garbage.

    The collector would traverse them all again and again: a third of the time. They are frozen at the end, so
    that its next run does not traverse them either.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


def _since(entries: list[Entry], count: int) -> list[Entry]:
    """The entries from the earliest that the `count` most recent runs need.

    Every entry about a run comes after its first start, whatever order a merge left the runs in.
    """
    starts = [(entry.time, place) for place, entry in enumerate(entries) if entry.kind in _STARTS]
    open_runs: set[str] = set()
    seen: set[str] = set()
    first = len(entries)
    for _, place in sorted(starts, reverse=True):
        body = entries[place].body
        run = str(body.get("run"))
        if len(seen | {run}) > count and not open_runs:
            break
        seen.add(run)
        first = min(first, place)
        (open_runs.add if body.get("resumed") else open_runs.discard)(run)
    return entries[first:]
