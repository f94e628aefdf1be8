"""Scores, one or two held against each other, with how they were computed: without that they mean little."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ledger.evidence import Slice

LEVEL = 0.05  # of a test, and 1 - LEVEL is its interval's share
NARROW = 2.0  # a scale from -1 to 1
NORMAL_QUANTILE = 1.96  # of the normal distribution at 1 - LEVEL / 2


@dataclass(frozen=True, slots=True)
class Metric:
    """One score with how it was computed. `value` is on `scale` (an inclusive range)."""

    value: float
    signature: str
    scale: tuple[float, float] = (0.0, 100.0)

    @property
    def shown(self) -> str:
        """The value for people: of a correlation four decimals count, of what goes to 100 two.

        >>> Metric(33.034, "").shown, Metric(0.002563, "", (-1.0, 1.0)).shown
        ('33.03', '0.0026')
        """
        low, high = self.scale
        return f"{self.value:.4f}" if high is not None and high - low <= NARROW else f"{self.value:.2f}"


@dataclass(frozen=True, slots=True)
class PairedTest:
    """One score of two outputs of the same source, 0-100, and what chance could do to their difference.

    `difference` is candidate minus baseline, `interval` holds it in 95% of the resamples, `p_value` is the
    probability of a difference as large where there is none, and `detectable` the smallest difference that as
    many lines of this kind show in 80 of 100 tests. `signature` says how all of it was computed.
    """

    name: str
    baseline: Metric
    candidate: Metric
    difference: float
    interval: tuple[float, float]
    p_value: float
    detectable: float
    signature: str

    @property
    def significant(self) -> bool:
        """Whether chance alone would give such a difference in fewer than 5 of 100 cases."""
        # For two equal outputs no resample exceeds the difference of 0 either, and sacrebleu's p is tiny.
        return self.difference != 0 and self.p_value < LEVEL


@dataclass(frozen=True, slots=True)
class MetricFamily(Slice):
    """One metric of several members, such as the correlation of each time frame, as one run measured it.

    `values` may be NaN where a member has none, `counts` is how many examples each is over, `signature` how
    it was computed.
    """

    NAME: ClassVar = "family"
    MISSING: ClassVar = "no family of metrics was measured"

    run: str
    name: str
    values: Mapping[str, float]
    counts: Mapping[str, int]
    signature: str

    @property
    def mean(self) -> float:
        """Over the members that have a value; NaN where none has."""
        known = [value for value in self.values.values() if math.isfinite(value)]
        return sum(known) / len(known) if known else math.nan


@dataclass(frozen=True, slots=True)
class FamilyLimits(Slice):
    """Expected of a family: what the `parent` run measured, the lowest share (0-1) of the members that should
    improve on that, and the lowest mean. Without a parent `no_parent` says why there is none.
    """

    parent: MetricFamily | None = None
    no_parent: str = "it has no parent to be held against"
    min_improved: float = 0.5
    min_mean: float | None = None


def apart(one: float, count: int, other: float, other_count: int) -> bool:
    """Whether two correlations differ by more than chance, at the 5% level: Fisher's z transformation.

    The test takes both samples for independent. Over the same examples correlations vary together, so that it
    then says yes too seldom rather than too often.
    """
    if min(count, other_count) <= 3 or max(abs(one), abs(other)) >= 1:
        return False
    error = math.sqrt(1 / (count - 3) + 1 / (other_count - 3))
    return abs(math.atanh(one) - math.atanh(other)) > NORMAL_QUANTILE * error
