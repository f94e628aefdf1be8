"""What the entries amount to: runs, how each ended, and what was accepted about it."""

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ledger.errors import UsageError
from ledger.evidence.metrics import Metric
from ledger.findings import Json, Report, Verdict
from ledger.journal.store import Entry, open_journal
from ledger.utils.paths import relative_if_inside
from ledger.workspace import Workspace

if TYPE_CHECKING:
    from ledger.evidence import RunIdentity

REPRODUCED = "run.reproduced"
IMPORTED = "run.imported"

# `claimed`: somebody else's record says what it says; nothing was observed, and it has no verdict.
Status = Literal["running", "interrupted", "finished", "failed", "claimed"]


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A finding that somebody lives with, on the record."""

    code: str
    why: str
    who: str
    time: str


@dataclass(frozen=True, slots=True)
class Repeated:
    """One reproduction of a run: `result` is identical, within tolerance or different; `body` as recorded."""

    result: str
    time: str
    body: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Run:
    """One run as the journal has it. `time` is when it first started (UTC).

    `started` and `finished` are the bodies of its latest entries of these kinds: a resumed run starts twice.
    Of an imported run, whose `time` is that of its import, `started` is the body of its latest import.
    """

    id: str
    experiment: str
    mode: str
    time: str
    status: Status
    started: Mapping[str, Json]
    finished: Mapping[str, Json] | None
    acceptances: tuple[Acceptance, ...] = ()
    entries: tuple[str, ...] = ()
    reproductions: tuple[Repeated, ...] = ()

    @property
    def report(self) -> Report:
        """What the guards said of its result, with what was accepted since; empty before it finished."""
        return self._accepted((self.finished or {}).get("report"))

    @property
    def preflight(self) -> Report:
        """What the guards said before it started, with what was accepted since."""
        return self._accepted(self.started.get("preflight"))

    @property
    def verdict(self) -> Verdict | None:
        """The recorded verdict, computed again where an acceptance changes it; None before there is one."""
        recorded = (self.finished or {}).get("verdict")
        if recorded is None:
            return None
        if not self.acceptances:
            return Verdict(recorded)
        before = _report((self.finished or {}).get("report")).verdict
        after = self.report.verdict
        return after if after is not before else Verdict(recorded)

    @property
    def metrics(self) -> dict[str, Metric]:
        """Its recorded scores by name; none before it finished."""
        recorded = (self.finished or {}).get("metrics") or {}
        return {name: _metric(one) for name, one in recorded.items()}

    @property
    def claims(self) -> Mapping[str, Json] | None:
        """What the source of an imported run says of it; None for any other run."""
        return self.started.get("claims") if self.status == "claimed" else None

    @property
    def is_rehearsal(self) -> bool:
        """Whether it was a rehearsal: its result says nothing about the real model."""
        return self.mode == "rehearsal"

    def _accepted(self, report: Json) -> Report:
        if not self.acceptances:
            return _report(report)
        return _report(report).accept({one.code: one.why for one in self.acceptances})


def _metric(one: Mapping[str, Json]) -> Metric:
    return Metric(one["value"], str(one.get("signature") or ""), tuple(one.get("scale") or (0.0, 100.0)))


def _report(data: Json) -> Report:
    return Report.from_json(data) if data else Report()


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
    """The runs of one journal, oldest first. `alive` is asked about each run that has not finished."""
    parts: dict[str, _Parts] = {}
    for entry in {entry.id: entry for entry in entries}.values():  # a merge may have doubled one
        if entry.kind in _TAKES:
            _TAKES[entry.kind](parts, entry)
    runs = [one.run(run, alive) for run, one in parts.items() if one.started]
    return sorted(runs, key=lambda run: run.time)


def load_runs(workspace: Workspace) -> list[Run]:
    """Every run of the journal and of the rehearsals' journal, oldest first."""
    return load_record(workspace)[0]


def load_record(workspace: Workspace) -> tuple[list[Run], list[Entry]]:
    """Every run, oldest first, and every entry of both journals, read once."""
    read: list[Entry] = []

    def keep(entries: list[Entry]) -> list[Entry]:
        read.extend(entries)
        return entries

    return _both(workspace, keep), read


def latest_runs(workspace: Workspace, count: int) -> list[Run]:
    """The `count` runs that started last, oldest first, reading no more entries than they need."""
    return _both(workspace, lambda entries: _since(entries, count))[-count:]


def find(runs: Sequence[Run], name: str) -> Run:
    """The run of that id, of the one id that begins so, or the latest of the experiment of that name.

    An experiment's observed runs come before imported ones, however late these were imported.
    Raises UsageError with the nearest names when there is none, or more than one.
    """
    named = [run for run in runs if run.experiment == name]
    observed = [run for run in named if run.status != "claimed"]
    exact = [run for run in runs if run.id == name] or observed or named
    if exact:
        return exact[-1]
    begun = [run for run in runs if name and run.id.startswith(name)]
    if len(begun) == 1:
        return begun[0]
    if begun:
        ids = ", ".join(run.id for run in begun[-5:])
        raise UsageError(f"{len(begun)} runs begin with {name!r}", hint=f"say which: {ids}")
    raise UsageError(f"no run or experiment is called {name!r}", hint=nearest(runs, name))


def nearest(runs: Sequence[Run], name: str) -> str:
    """A hint that names what is recorded and looks like `name`."""
    if not runs:
        return "nothing is recorded yet; start with: ledger run EXPERIMENT --rehearse"
    import difflib

    names = list(dict.fromkeys(known for run in reversed(runs) for known in (run.experiment, run.id)))
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(close)}?" if close else "see what is there with: ledger log --all"


def to_identity(run: Run) -> "RunIdentity":
    """The run as duplicates are looked for: what went in, what came out."""
    from ledger.evidence import RunIdentity

    output = (run.finished or {}).get("output") or {}
    return RunIdentity(
        run=run.id,
        experiment=run.experiment,
        inputs=run.started.get("inputs") or "",
        spec=run.started.get("spec") or {},
        environment=run.started.get("environment"),
        output={name: output[name] for name in ("md5", "sha256") if name in output},
        time=run.time,
    )


def head(run: Run) -> dict[str, Json]:
    """What every `--json` says of a run first."""
    return {
        "run": run.id,
        "experiment": run.experiment,
        "mode": run.mode,
        "started": run.time,
        "status": run.status,
        "verdict": run.verdict,
    }


def to_json(run: Run) -> dict[str, Json]:
    """Everything that the journal has on a run, for `--json`."""
    return {
        **run.report.to_json(),
        **head(run),  # its verdict knows of runs that have none yet
        "preflight": run.preflight.to_json(),
        "acceptances": [asdict(one) for one in run.acceptances],
        "entries": list(run.entries),
        "reproductions": [{"time": one.time, **one.body} for one in run.reproductions],
        "recorded": {"started": dict(run.started), "finished": run.finished and dict(run.finished)},
    }


def files_of(workspace: Workspace, run: Run) -> dict[str, Json]:
    """Where a run's files are, relative to the repository; only what is really there."""
    folder = workspace.runs / run.id
    output = ((run.finished or {}).get("output") or {}).get("path")
    paths = {"run folder": folder, "output": workspace.root / output if output else None}
    paths |= {path.name: path for path in sorted(folder.glob("*.log"))}
    return {
        name: relative_if_inside(path, workspace.root)
        for name, path in paths.items()
        if path and path.exists()
    }


class _Parts:
    """One run while its entries are gathered."""

    def __init__(self) -> None:
        self.started: list[Entry] = []
        self.ended: Entry | None = None
        self.finished: Mapping[str, Json] | None = None
        self.acceptances: list[Acceptance] = []
        self.entries: list[str] = []
        self.reproductions: list[Repeated] = []

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
        return "failed" if self.ended.body.get("status") == "failed" else "finished"


def _take_start(parts: dict[str, _Parts], entry: Entry) -> None:
    one = parts.setdefault(str(entry.body.get("run")), _Parts())
    one.started.append(entry)
    one.ended = None  # a run that was resumed is not over
    one.entries.append(entry.id)


def _take_finish(parts: dict[str, _Parts], entry: Entry) -> None:
    one = parts.setdefault(str(entry.body.get("run")), _Parts())
    one.ended, one.finished = entry, entry.body
    one.entries.append(entry.id)


def _take_import(parts: dict[str, _Parts], entry: Entry) -> None:
    one = parts.setdefault(str(entry.body.get("run")), _Parts())
    one.started.append(entry)
    one.finished = {"report": entry.body.get("report")}  # what contradicts itself in it
    one.entries.append(entry.id)


def _take_acceptance(parts: dict[str, _Parts], entry: Entry) -> None:
    body = entry.body
    accepted = Acceptance(body["code"], body["why"], body.get("who", ""), entry.time)
    for run, one in parts.items():
        # Without a run it holds for all that the experiment had until then.
        ours = body.get("run") == run
        theirs = (
            body.get("run") is None
            and one.started
            and one.started[-1].body.get("experiment") == body["experiment"]
        )
        if ours or theirs:
            one.acceptances.append(accepted)
            one.entries.append(entry.id)


def _take_reproduction(parts: dict[str, _Parts], entry: Entry) -> None:
    one = parts.setdefault(str(entry.body.get("run")), _Parts())
    one.reproductions.append(Repeated(str(entry.body.get("result")), entry.time, entry.body))
    one.entries.append(entry.id)


_STARTS = ("run.started", IMPORTED)
_TAKES: dict[str, Callable[[dict[str, _Parts], Entry], None]] = {
    "run.started": _take_start,
    "run.finished": _take_finish,
    "acceptance": _take_acceptance,
    REPRODUCED: _take_reproduction,
    IMPORTED: _take_import,
}


def _both(workspace: Workspace, part: Callable[[list[Entry]], list[Entry]]) -> list[Run]:
    journals = (open_journal(workspace, mode) for mode in ("real", "rehearsal"))
    alive = partial(is_alive, workspace.runs)
    with _uncollected():
        found = [run for journal in journals for run in read_runs(part(journal.entries()), alive)]
    return sorted(found, key=lambda run: run.time)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the garbage collector: it would visit all that was read so far each time some more is.

    Ten thousand entries are a million values, and nothing of them is garbage: a third of the time went there.
    Afterwards they are out of its sight, or its next round would visit them all the same.
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
    """The entries from the first one of the `count` runs on that started last.

    All that is said of a run stands after its first start, whatever order a merge left the runs in.
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
