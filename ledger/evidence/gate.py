"""Gate evidence: what a branch changed, as the gate's guards read it.

Plain values. Collecting them is in `ledger.commands.gate`, judging in `guards.gate` and `guards.journal`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ledger.evidence import Slice
from ledger.evidence.metrics import Metric, PairedTest
from ledger.findings import Finding

FIRST_COMMIT = "nothing (first commit)"
"""What messages call the base of a first commit."""


@dataclass(frozen=True, slots=True)
class JournalText(Slice):
    """A journal's bytes, and where it was read: `main`, `the work tree`."""

    NAME: ClassVar = "past"
    MISSING: ClassVar = "no base to compare the journal with"

    where: str
    data: bytes


# --- specs ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChangedSpec:
    """A spec that is new, or that runs something else than in the base; `digest` is what it runs now.

    `planned`: it says itself that it was not run yet. `problem`: why it cannot be read.
    """

    experiment: str
    digest: str
    is_new: bool
    planned: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ChangedSpecs(Slice):
    """Expected: each of these has a run."""

    base: str
    specs: tuple[ChangedSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class SpecRun:
    """A finished run, and the digest of the spec that it ran.

    `now`: a rehearsal made by this very gate; `problem`: why it could not be made.
    """

    run: str
    experiment: str
    digest: str
    passed: bool
    codes: tuple[str, ...] = ()
    now: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SpecRuns(Slice):
    """The real runs on the record, oldest first, and the rehearsals of this call."""

    NAME: ClassVar = "specs"
    MISSING: ClassVar = "no base to hold specs against"

    runs: tuple[SpecRun, ...] = ()


# --- scores -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ScoreLimit(Slice):
    """Expected of a new score: not worse with a p-value below this."""

    max_p: float = 0.05


@dataclass(frozen=True, slots=True)
class Scored:
    """One score of one run. `interval` is the recorded 95% confidence interval, if there is one."""

    run: str
    metric: Metric
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class ScoreChange:
    """The newest score of an experiment beside the base's.

    `paired` is the test on their two outputs; where it is None, `unpaired` says why there was none.
    """

    experiment: str
    name: str
    baseline: Scored
    candidate: Scored
    paired: PairedTest | None = None
    unpaired: str = ""


@dataclass(frozen=True, slots=True)
class ScoreChanges(Slice):
    """Every experiment with a new score and one in the base."""

    NAME: ClassVar = "score_changes"
    MISSING: ClassVar = "no base's scores"

    changes: tuple[ScoreChange, ...] = ()


# --- findings ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KnownRuns(Slice):
    """Expected: what is open in these runs of the base was there before the branch."""

    base: str
    runs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RunFindings:
    """The errors of one run that nobody accepted. `successor`: a later finished run of the experiment."""

    run: str
    experiment: str
    findings: tuple[Finding, ...]
    successor: str | None = None


@dataclass(frozen=True, slots=True)
class OpenFindings(Slice):
    """Every run with open errors, oldest first."""

    NAME: ClassVar = "open_findings"
    MISSING: ClassVar = "the journal was not read"

    runs: tuple[RunFindings, ...] = ()


# --- claims -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DocumentClaim:
    """A number in a document that is marked as a run's. `text` is what stands there; `line` counts from 1.

    `problem`: why the mark itself cannot be read.
    """

    path: str
    line: int
    run: str = ""
    metric: str = ""
    text: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Numbers(Slice):
    """Expected of the claims: what the journal has, by the run and metric that a claim names.

    `missing` says of a pair that is not on the record what is. `shares` are the pairs whose number is 0-1: of
    these a percentage is a hundredth.
    """

    values: Mapping[tuple[str, str], float] = field(default_factory=dict)
    runs: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[tuple[str, str], str] = field(default_factory=dict)
    shares: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class DocumentClaims(Slice):
    """Every marked number in the repository's documents."""

    NAME: ClassVar = "written_numbers"
    MISSING: ClassVar = "no documents were read"

    claims: tuple[DocumentClaim, ...] = ()


# --- lockfiles --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PackageChange:
    """One distribution that two lockfiles pin differently; None on a side that has none."""

    name: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        return f"{self.name} {self.before or 'absent'} → {self.after or 'absent'}"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One rehearsal in one environment. `problems` are its failing findings as text, worst first."""

    lockfile: str
    run: str | None
    passed: bool
    problems: tuple[str, ...] = ()
    unfinished: str = ""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """An experiment under the old and the new lockfile, and what the new one made of the old one's save.

    `defaults` are effective settings that differ, as `name before → after`.
    """

    old: Behaviour
    new: Behaviour
    reload: Behaviour | None = None
    defaults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LockChange:
    """An experiment whose lockfile changed. `imported`: what its worker really loaded; None: not known."""

    experiment: str
    before: str
    after: str
    packages: tuple[PackageChange, ...]
    imported: frozenset[str] | None = None

    @property
    def imported_changes(self) -> tuple[PackageChange, ...]:
        """The changes that the worker can have met; all of them where nobody knows what it loaded.

        An added package counts: libraries look for others, and use what they find.
        """
        if self.imported is None:
            return self.packages
        return tuple(one for one in self.packages if one.name in self.imported or one.before is None)


@dataclass(frozen=True, slots=True)
class LockChanges(Slice):
    """Expected: each of these experiments still does what it did."""

    base: str
    changes: tuple[LockChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Rehearsals(Slice):
    """What came of rehearsing them, by experiment; `why_not` where an experiment was not rehearsed."""

    NAME: ClassVar = "lock_changes"
    MISSING: ClassVar = "no base's lockfiles"

    rehearsed: Mapping[str, Rehearsed] = field(default_factory=dict)
    why_not: Mapping[str, str] = field(default_factory=dict)
    asked: bool = False
