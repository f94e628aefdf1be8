"""What stands on a report: plain values, gathered elsewhere, drawn elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass

from ledger.evaluation.comparison import Comparison
from ledger.evidence import Unobserved
from ledger.evidence.suspects import Suspect
from ledger.journal.annotations import Decision, Note, Rating
from ledger.journal.run import CheckpointRow, Run


@dataclass(frozen=True, slots=True)
class TextPart:
    """A piece of a line; `code` is the guard that means it, empty where none does."""

    text: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class SampleLine:
    """One line of an output with what the guards mean in it."""

    number: int
    source: str | None
    output: tuple[TextPart, ...]
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Samples:
    """The lines of one run that the text guards flag; or why they are not to be had."""

    run: str
    lines: tuple[SampleLine, ...] | Unobserved


@dataclass(frozen=True, slots=True)
class Curve:
    """The saves of one training, in order of the steps."""

    run: str
    saves: tuple[CheckpointRow, ...]


@dataclass(frozen=True, slots=True)
class ExperimentPage:
    """One experiment: its runs, oldest first, of which the last real one counts, else the last rehearsal."""

    name: str
    title: str
    runs: tuple[Run, ...]
    decision: Decision | None = None

    @property
    def latest(self) -> Run | None:
        """The run that stands for it: a real one where there is one."""
        real = [run for run in self.runs if not run.is_rehearsal]
        return next(reversed(real or self.runs), None)


@dataclass(frozen=True, slots=True)
class CorrelationTable:
    """The correlation of each time frame in one run, and in its parent; None where there is no number.

    `improved` of `of` members are better than in the run `parent`, where there is one.
    """

    run: str
    values: Mapping[str, float | None]
    before: Mapping[str, float | None]
    parent: str | None = None
    improved: int = 0
    of: int = 0


@dataclass(frozen=True, slots=True)
class EnvironmentChange:
    """What differs in the environments of two neighbouring runs, most suspicious first."""

    before: str
    after: str
    suspects: tuple[Suspect, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """The whole report. `made` is when (UTC), `rates` each run's rates (0-1) by guard code."""

    repository: str
    made: str
    experiments: tuple[ExperimentPage, ...]
    runs: tuple[Run, ...]
    rates: Mapping[str, Mapping[str, float]]
    curves: tuple[Curve, ...] = ()
    families: tuple[CorrelationTable, ...] = ()
    changes: tuple[EnvironmentChange, ...] = ()
    samples: tuple[Samples, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    notes: tuple[Note, ...] = ()
    ratings: tuple[Rating, ...] = ()
