"""The comparison of two runs or outputs, and the conclusions that it allows.

Every difference is candidate minus baseline.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ledger.evaluation.agreement import agreement
from ledger.evaluation.normalized_scores import NORMALIZED
from ledger.evidence import Unobserved
from ledger.evidence.metrics import Metric, PairedTest
from ledger.evidence.suspects import Suspect
from ledger.findings import Json
from ledger.utils.mapping_diff import Difference
from ledger.utils.plural import and_more, count


@dataclass(frozen=True, slots=True)
class Side:
    """The baseline or the candidate. `rates` is the share of lines (0-1) that each text guard flagged.

    `metrics` are the recorded scores; `caution` is a sentence that applies to all of them.
    """

    name: str
    experiment: str | None
    rates: Mapping[str, float]
    metrics: Mapping[str, Metric]
    caution: str = ""


@dataclass(frozen=True, slots=True)
class LineChange:
    """One line that differs. `gain` is the difference of the line's sentence-level chrF++ (0-100)."""

    number: int
    source: str | None
    baseline: str
    candidate: str
    reference: str
    gain: float

    def to_json(self) -> dict[str, Json]:
        """The line as `--json` shows it."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Comparison:
    """The differences of two sides. `changes` are the lines that differ, most worsened first.

    `identical` of `lines` lines are equal; None if the outputs do not translate the same source.
    `normalized` are the tests after normalising the Unicode form of all texts; empty where no score moves.
    `same_training`: a sentence on two trainings whose losses are equal (DUP004); empty where they are not.
    """

    baseline: Side
    candidate: Side
    lines: int
    identical: int | None
    tests: tuple[PairedTest, ...] | Unobserved
    normalized: tuple[PairedTest, ...] = ()
    changes: tuple[LineChange, ...] = ()
    params: tuple[Difference, ...] = ()
    suspects: tuple[Suspect, ...] | Unobserved = ()
    same_training: str = ""

    @property
    def is_identical(self) -> bool:
        """Whether both outputs are known and every line is equal."""
        return self.identical is not None and self.identical == self.lines

    @property
    def otherwise_computed(self) -> tuple[str, ...]:
        """The recorded scores of both sides that were computed in different ways."""
        old, new = self.baseline.metrics, self.candidate.metrics
        return tuple(name for name in sorted({*old} & {*new}) if old[name].signature != new[name].signature)

    def worsened(self, most: int) -> tuple[LineChange, ...]:
        """At most `most` worsened lines, the largest loss first."""
        return tuple(change for change in self.changes[:most] if change.gain < 0)

    def improved(self, most: int) -> tuple[LineChange, ...]:
        """At most `most` improved lines, the largest gain first."""
        return tuple(change for change in reversed(self.changes[-most:]) if change.gain > 0)


def line_changes(
    baseline: Sequence[str],
    candidate: Sequence[str],
    reference: Sequence[str],
    source: Sequence[str] | None = None,
) -> tuple[LineChange, ...]:
    """The lines that differ, sorted by their gain in chrF++ (sentence level, effective order)."""
    from sacrebleu.metrics.chrf import CHRF

    chrf = CHRF(word_order=2, eps_smoothing=False)

    def points(line: str, expected: str) -> float:
        return float(chrf.sentence_score(line, [expected]).score)

    found = [
        LineChange(
            number=index + 1,
            source=source[index] if source else None,
            baseline=old,
            candidate=new,
            reference=expected,
            gain=points(new, expected) - points(old, expected),
        )
        for index, (old, new, expected) in enumerate(zip(baseline, candidate, reference, strict=True))
        if old != new
    ]
    return tuple(sorted(found, key=lambda change: (change.gain, change.number)))


def conclusions(comparison: Comparison) -> Iterator[str]:
    """The conclusions that the tests allow, and their limits: one sentence each."""
    if comparison.is_identical:
        yield f"All {comparison.lines:,} lines of the outputs are identical: the differences had no effect."
    elif isinstance(comparison.tests, Unobserved):
        yield f"Which one is better cannot be tested: {comparison.tests.reason}."
        if names := comparison.otherwise_computed:
            found = and_more(names, len(names))
            yield f"The two sides computed {found} in different ways: do not compare them."
    else:
        normalized = {test.name: test for test in comparison.normalized}
        for test in comparison.tests:
            yield _sentence(test, normalized.get(test.name, test), comparison)
        yield from _disagreement(comparison.tests)
        yield "This holds for this text and these outputs; another text or seed may give another result."
    yield from _direction(comparison)
    yield from (side.caution for side in (comparison.baseline, comparison.candidate) if side.caution)
    if comparison.same_training:
        yield comparison.same_training


def _sentence(test: PairedTest, normalized: PairedTest, comparison: Comparison) -> str:
    """One output is only called better if it is so in any Unicode form."""
    low, high = test.interval
    chance = f"95% interval {low:+.2f} to {high:+.2f}, p = {test.p_value:.3f}"
    if test.significant:
        better, worse = comparison.candidate.name, comparison.baseline.name
        if test.difference < 0:
            better, worse = worse, better
        if not normalized.significant or (normalized.difference > 0) != (test.difference > 0):
            return (
                f"{better} scores {abs(test.difference):.2f} {test.name} above {worse} ({chance}), but not "
                f"with {NORMALIZED} ({normalized.difference:+.2f}, p = {normalized.p_value:.3f}): "
                "this does not make it better."
            )
        share = agreement(test.name, test.difference, test.signature)
        worth = f" People agree with such a difference in {share:.0%} of pairs of systems." if share else ""
        return f"{better} is better than {worse} by {abs(test.difference):.2f} {test.name} ({chance}).{worth}"
    return (
        f"No difference in {test.name} can be claimed ({test.difference:+.2f}, {chance}): with these "
        f"{count(comparison.lines, 'line')}, the test would probably miss one below {test.detectable:.2f}."
    )


def _disagreement(tests: Sequence[PairedTest]) -> Iterator[str]:
    if {test.difference > 0 for test in tests if test.significant} == {True, False}:
        yield "The two scores contradict each other: read the lines before you trust either."


def _direction(comparison: Comparison) -> Iterator[str]:
    old, new = comparison.baseline.rates, comparison.candidate.rates
    for name, codes in (
        ("more", [code for code in sorted({*old} & {*new}) if new[code] > old[code]]),
        ("fewer", [code for code in sorted({*old} & {*new}) if new[code] < old[code]]),
    ):
        if codes:
            yield f"{comparison.candidate.name} has {name} lines flagged by {', '.join(codes)}."
