"""What people add to the journal: notes, decisions not to run, ratings. Read from its entries."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from ledger.findings import Json
from ledger.journal.store import Entry, open_journal
from ledger.utils.proportion import wilson_interval
from ledger.workspace import Workspace

NOTE, SKIP, RATING = "note", "skip", "rating"
Judgement = Literal["right", "partly", "wrong"]
JUDGEMENTS: tuple[Judgement, ...] = ("right", "partly", "wrong")
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Note:
    """A remark on a run, or on the experiment as a whole where `run` is None."""

    run: str | None
    experiment: str
    text: str
    who: str
    time: str


@dataclass(frozen=True, slots=True)
class Decision:
    """An experiment that somebody decided not to run, and why."""

    experiment: str
    why: str
    who: str
    time: str


@dataclass(frozen=True, slots=True)
class JudgedShare:
    """A share (0-1) of judged lines with its 95% interval (Wilson, 1927)."""

    share: float
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Rating:
    """One person's judgements of lines drawn at random from an output of `of` lines: the count of each."""

    run: str
    experiment: str
    who: str
    time: str
    of: int
    counts: Mapping[Judgement, int]

    @property
    def lines(self) -> int:
        """How many lines were judged."""
        return sum(self.counts.values())

    @property
    def shares(self) -> dict[Judgement, JudgedShare]:
        """Each judgement's share; exact, with an interval of zero width, where every line was judged."""
        return {name: _share(self.counts[name], self.lines, self.of) for name in JUDGEMENTS}

    def to_json(self) -> dict[str, Json]:
        """The rating as `--json` shows it."""
        return {**asdict(self), "lines": self.lines, "shares": {k: asdict(v) for k, v in self.shares.items()}}


def notes(entries: Iterable[Entry], experiment: str | None = None, run: str | None = None) -> Iterator[Note]:
    """The notes on an experiment, or on one run of it and the experiment as a whole; without either, all."""
    for entry in entries:
        if entry.kind == NOTE and experiment in (None, entry.body["experiment"]):
            body = entry.body
            if run is None or body["run"] in (None, run):
                yield Note(body["run"], body["experiment"], body["text"], body["who"], entry.time)


def decisions(entries: Iterable[Entry]) -> Iterator[Decision]:
    """The decisions not to run that still hold: no run of the experiment started after them."""
    standing: dict[str, Decision] = {}
    for entry in sorted(entries, key=lambda entry: entry.time):
        if entry.kind == SKIP:
            name = str(entry.body["experiment"])
            standing[name] = Decision(name, entry.body["why"], entry.body["who"], entry.time)
        elif entry.kind == "run.started" and standing:
            standing.pop(str(entry.body.get("experiment")), None)
    yield from standing.values()


def standing_decisions(workspace: Workspace) -> list[Decision]:
    """The decisions in a repository's journal that still hold, oldest first."""
    journal = open_journal(workspace, "real")
    with journal.index() as index:
        if index is not None and not index.damaged and not list(index.places_of_kind(SKIP)):
            return []
    return list(decisions(journal.entries()))


def ratings(entries: Iterable[Entry], run: str | None = None) -> Iterator[Rating]:
    """The ratings of a run, or all of them."""
    for entry in entries:
        if entry.kind == RATING and run in (None, entry.body["run"]):
            body = entry.body
            yield Rating(
                body["run"], body["experiment"], body["who"], entry.time, body["of"], dict(body["counts"])
            )


def _share(count: int, lines: int, of: int) -> JudgedShare:
    if not lines:
        return JudgedShare(0.0, (0.0, 1.0))
    if lines == of:
        return JudgedShare(count / lines, (count / lines, count / lines))
    return JudgedShare(count / lines, wilson_interval(count, lines, CONFIDENCE))
