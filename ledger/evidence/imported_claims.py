"""Claims of imported records: runs as their sources state them, and the statements of a written log.

Plain values. A claim was written down by somebody and not observed by the ledger. `ledger.importers` reads
claims, `guards.claims` finds those that contradict each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from ledger.evidence import Slice
from ledger.findings import Json

# `not run`: it could not be started, or its model was not available. `planned`: it was only an idea.
Outcome = Literal["succeeded", "failed", "not run", "completed", "running", "skipped", "planned"]


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a series."""

    step: int
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedRun:
    """One run as its source describes it; every field may be empty.

    `key` identifies it within the source (a W&B or MLflow run id). `params` are settings, `metrics` numbers
    on the source's own scale, `rates` shares of lines (0-1), `series` the points by metric, `facts` all other
    values: time, seconds, data, output, host. `where` is its place in the source.
    """

    experiment: str
    key: str
    title: str = ""
    outcome: Outcome | None = None
    model: str | None = None
    params: Mapping[str, Json] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)
    series: Mapping[str, Sequence[Point]] = field(default_factory=dict)
    environment: Mapping[str, Json] = field(default_factory=dict)
    facts: Mapping[str, Json] = field(default_factory=dict)
    logged: Mapping[str, Json] = field(default_factory=dict)
    where: str = ""


@dataclass(frozen=True, slots=True)
class Claimed:
    """All claims of one source: its runs, the `files` they were read from, and the written log's statements.

    `problems` are sentences on parts that could not be read.
    """

    kind: str
    runs: tuple[ClaimedRun, ...]
    files: tuple[Path, ...]
    problems: tuple[str, ...] = ()
    log: "WrittenLog | None" = None


# --- the statements of a written log ----------------------------------------------------------------

# `roughly`: a rate such as `~100%` or `almost none`, which is compared with nothing.
StatementKind = Literal[
    "setting", "rate", "roughly", "score", "size", "steps", "seconds", "throughput", "epochs"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One value that a line states for an experiment.

    `scope` names the attempt or configuration within the experiment, empty for the experiment itself: two
    scopes may differ without a contradiction. Rates are 0-1. `column` is the heading of a value in a table;
    `text` is the value as written.
    """

    experiment: str
    key: str
    value: Json
    line: int
    kind: StatementKind = "setting"
    scope: str = ""
    text: str = ""
    column: str = ""


@dataclass(frozen=True, slots=True)
class ClaimedShare:
    """A count and its percentage, stated together: `count` of `total` is `percent`, to `decimals` places."""

    experiment: str
    label: str
    count: float
    total: float
    percent: float
    decimals: int
    line: int


@dataclass(frozen=True, slots=True)
class Mean:
    """A stated mean and the values above it, all written to `decimals` places."""

    experiment: str
    label: str
    stated: float
    values: tuple[float, ...]
    decimals: int
    line: int


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of an experiment, as one line states it."""

    experiment: str
    scope: str
    outcome: Outcome
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Naming:
    """A heading that gives an experiment its number; `words` and `models` are those of its title."""

    experiment: str
    title: str
    words: frozenset[str]
    models: frozenset[str]
    planned: bool
    line: int


def name_different_things(a: Naming, b: Naming) -> bool:
    """Whether two headings give the same number to two experiments: their titles have no word in common, and
    either only one of them is planned, or they name different models."""
    if a.experiment != b.experiment or not (a.words and b.words) or a.words & b.words:
        return False
    return a.planned != b.planned or bool(a.models and b.models and not a.models & b.models)


@dataclass(frozen=True, slots=True)
class SameOutput:
    """A line that says that two experiments have identical outputs."""

    experiment: str
    other: str
    line: int


@dataclass(frozen=True, slots=True)
class StepMention:
    """The step at which a run crashed (`crash`), or that of one of its checkpoints."""

    experiment: str
    scope: str
    step: int
    crash: bool
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class OtherData:
    """A line that says that an experiment's data differ from another's (`other`; None: an earlier run's)."""

    experiment: str
    other: str | None
    line: int


@dataclass(frozen=True, slots=True)
class WrittenLog(Slice):
    """All statements of a written log that can be compared, in the order of its lines."""

    NAME: ClassVar = "log"
    MISSING: ClassVar = "no written log was read"

    statements: tuple[Statement, ...] = ()
    shares: tuple[ClaimedShare, ...] = ()
    means: tuple[Mean, ...] = ()
    results: tuple[Result, ...] = ()
    namings: tuple[Naming, ...] = ()
    identities: tuple[SameOutput, ...] = ()
    steps: tuple[StepMention, ...] = ()
    other_data: tuple[OtherData, ...] = ()


@dataclass(frozen=True, slots=True)
class Consistency(Slice):
    """Expected of a written log: how far two statements of the same value may differ.

    `size`: relative difference of a data set's size that is computed from throughput, which is rounded.
    `scale`: a score of at most 1 is reported if a hundred times the score is within this factor of the log's
    other scores.
    """

    size: float = 0.001
    scale: float = 10.0
