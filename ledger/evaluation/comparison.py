"""Two runs or outputs side by side, and what may be concluded from that. Pure; reading is a flow's.

The baseline is what the candidate is held against; every difference is candidate minus baseline.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ledger.evidence import Unobserved
from ledger.evidence.metrics import Metric, PairedTest
from ledger.evidence.suspects import Suspect
from ledger.findings import Json
from ledger.utils.mapping_diff import Difference


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two. `rates` is the share of lines (0-1) that each text guard flagged.

    `metrics` are the scores on the record, `caution` is what has to be known about all of them.
    """

    name: str
    experiment: str | None
    rates: Mapping[str, float]
    metrics: Mapping[str, Metric]
    caution: str = ""


@dataclass(frozen=True, slots=True)
class LineChange:
    """One line that differs. `gain` is in chrF++ points (0-100) against the reference, of this line alone."""

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
    """What two sides have in common and what not. `changes` are the lines that differ, most worsened first.

    `identical` of `lines` lines are equal; None where the outputs do not answer the same source.
    """

    baseline: Side
    candidate: Side
    lines: int
    identical: int | None
    tests: tuple[PairedTest, ...] | Unobserved
    changes: tuple[LineChange, ...] = ()
    params: tuple[Difference, ...] = ()
    suspects: tuple[Suspect, ...] | Unobserved = ()

    def worsened(self, most: int) -> tuple[LineChange, ...]:
        """The `most` lines that lost most."""
        return tuple(change for change in self.changes[:most] if change.gain < 0)

    def improved(self, most: int) -> tuple[LineChange, ...]:
        """The `most` lines that gained most."""
        return tuple(change for change in reversed(self.changes[-most:]) if change.gain > 0)


def line_changes(
    baseline: Sequence[str],
    candidate: Sequence[str],
    reference: Sequence[str],
    source: Sequence[str] | None = None,
) -> tuple[LineChange, ...]:
    """The lines that differ, by how much chrF++ (sentence level, effective order) each gained."""
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
    """What may be said of it, and what not: one sentence each."""
    if comparison.identical is not None and comparison.identical == comparison.lines:
        yield f"The outputs are the same in all {comparison.lines:,} lines: what differs made no difference."
    elif isinstance(comparison.tests, Unobserved):
        yield f"Nothing can be said about which is better: {comparison.tests.reason}."
    else:
        yield from (_sentence(test, comparison) for test in comparison.tests)
        yield from _disagreement(comparison.tests)
        yield "This holds for this text and these outputs: another text or another seed is another question."
    yield from _direction(comparison)
    yield from (side.caution for side in (comparison.baseline, comparison.candidate) if side.caution)


def _sentence(test: PairedTest, comparison: Comparison) -> str:
    low, high = test.interval
    chance = f"95% interval {low:+.2f} to {high:+.2f}, p = {test.p_value:.3f}"
    if test.significant:
        better, worse = comparison.candidate.name, comparison.baseline.name
        if test.difference < 0:
            better, worse = worse, better
        return f"{better} is better than {worse} by {abs(test.difference):.2f} {test.name} ({chance})."
    return (
        f"No difference in {test.name} can be claimed ({test.difference:+.2f}, {chance}): with these "
        f"{comparison.lines:,} lines, one below {test.detectable:.2f} is more likely missed than seen."
    )


def _disagreement(tests: Sequence[PairedTest]) -> Iterator[str]:
    told = [test for test in tests if test.significant]
    if {test.difference > 0 for test in told} == {True, False}:
        yield "The two scores contradict each other: read the lines before believing either."


def _direction(comparison: Comparison) -> Iterator[str]:
    old, new = comparison.baseline.rates, comparison.candidate.rates
    for name, codes in (
        ("more", [code for code in sorted({*old} & {*new}) if new[code] > old[code]]),
        ("fewer", [code for code in sorted({*old} & {*new}) if new[code] < old[code]]),
    ):
        if codes:
            yield f"{comparison.candidate.name} has {name} lines flagged by {', '.join(codes)}."
