"""Gate evidence: the changes of a branch.

Plain values. `ledger.commands.gate` collects them, `guards.gate` and `guards.journal` judge them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ledger.evidence import Slice
from ledger.evidence.metrics import Metric, PairedTest
from ledger.findings import Finding

# From the half width of a 95% interval (1.96 standard errors) to the difference that is found with a power of
# 80%: 1.96 + 0.84 standard errors, as in the usual sample-size formula of a two-sided test.
POWER = (1.96 + 0.84) / 1.96

FIRST_COMMIT = "nothing (first commit)"
"""The name of the base of a first commit in messages."""


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
    """A spec that is new, or that describes a different run than in the base; `digest` is the present one.

    `planned`: its status says that it was not run yet. `problem`: why it cannot be read.
    """

    experiment: str
    digest: str
    is_new: bool
    planned: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ChangedSpecs(Slice):
    """Expected: each of these specs has a run."""

    base: str
    specs: tuple[ChangedSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class SpecRun:
    """A finished run, and the digest of its spec.

    `now`: a rehearsal made by the gate itself; `problem`: why it could not be made.
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
    """The recorded real runs, oldest first, and the rehearsals made by the gate."""

    NAME: ClassVar = "specs"
    MISSING: ClassVar = "no base to compare specs with"

    runs: tuple[SpecRun, ...] = ()


# --- scores -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ScoreLimit(Slice):
    """Expected of a new score: it is not worse with a p-value below `max_p`.

    The lines must be enough to exclude a fall of `smallest` points (0-100).
    """

    max_p: float = 0.05
    smallest: float = 1.0


@dataclass(frozen=True, slots=True)
class Scored:
    """One score of one run. `interval` is the recorded 95% confidence interval, if there is one."""

    run: str
    metric: Metric
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class ScoreChange:
    """The newest score of an experiment and that of the base.

    `paired` is the test on their two outputs; if it is None, `unpaired` says why. `lines`: how many
    were scored.
    """

    experiment: str
    name: str
    baseline: Scored
    candidate: Scored
    paired: PairedTest | None = None
    unpaired: str = ""
    lines: int | None = None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95% interval of the difference: of the paired test, else from both intervals (wider)."""
        if self.paired is not None:
            return self.paired.interval
        before, after = self.baseline.interval, self.candidate.interval
        if before is None or after is None:
            return None
        difference = self.candidate.metric.value - self.baseline.metric.value
        half = math.hypot(before[1] - before[0], after[1] - after[0]) / 2
        return difference - half, difference + half

    def needed(self, points: float) -> int | None:
        """The lines that would show a difference of `points` with a power of 80%; None if not known.

        The error of a score falls with the square root of the number of lines.
        """
        interval = self.interval
        if interval is None or not self.lines:
            return None
        half = (interval[1] - interval[0]) / 2
        return math.ceil(self.lines * (half * POWER / points) ** 2)


@dataclass(frozen=True, slots=True)
class ScoreChanges(Slice):
    """Every experiment with a new score and one in the base."""

    NAME: ClassVar = "score_changes"
    MISSING: ClassVar = "no scores of a base to compare with"

    changes: tuple[ScoreChange, ...] = ()


# --- findings ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KnownRuns(Slice):
    """Expected: the runs of the base, whose open findings are older than the branch."""

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
    """A number that a document attributes to a run. `text` is the number as written; `line` counts from 1.

    `problem`: why the mark is invalid.
    """

    path: str
    line: int
    run: str = ""
    metric: str = ""
    text: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Numbers(Slice):
    """Expected of the claims: the numbers of the journal, by the run and metric that a claim names.

    `missing` has a message for each pair that is not in the journal. `shares` are the pairs whose number is
    a share (0-1), which a document may write as a percentage.
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
    """One distribution that two lockfiles pin differently; None on a side without it."""

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
    """An experiment under both lockfiles, and the reload of the old one's checkpoint under the new one.

    `defaults` are effective settings that differ, as `name before → after`.
    """

    old: Behaviour
    new: Behaviour
    reload: Behaviour | None = None
    defaults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LockChange:
    """An experiment whose lockfile changed. `imported`: what its worker loaded, None if unknown."""

    experiment: str
    before: str
    after: str
    packages: tuple[PackageChange, ...]
    imported: frozenset[str] | None = None

    @property
    def imported_changes(self) -> tuple[PackageChange, ...]:
        """The changes that may affect the worker; all of them if its imports are unknown.

        An added package counts, since libraries use optional packages that they find.
        """
        if self.imported is None:
            return self.packages
        return tuple(one for one in self.packages if one.name in self.imported or one.before is None)


@dataclass(frozen=True, slots=True)
class LockChanges(Slice):
    """Expected: each of these experiments behaves as before."""

    base: str
    changes: tuple[LockChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Rehearsals(Slice):
    """The results of the rehearsals, by experiment; `why_not` has the reason if there was none."""

    NAME: ClassVar = "lock_changes"
    MISSING: ClassVar = "no lockfiles of a base to compare with"

    rehearsed: Mapping[str, Rehearsed] = field(default_factory=dict)
    why_not: Mapping[str, str] = field(default_factory=dict)
    asked: bool = False
