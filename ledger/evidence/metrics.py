"""Scores with how they were computed, tests of two scores, and families of one metric."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ledger.evidence import Slice

LEVEL = 0.05  # significance level of a test; the confidence of its interval is 1 - LEVEL
NARROW = 2.0  # width of a scale from -1 to 1
NORMAL_QUANTILE = 1.96  # of the normal distribution at 1 - LEVEL / 2


@dataclass(frozen=True, slots=True)
class Metric:
    """One score; `signature` says how it was computed, and `value` is on `scale` (an inclusive range)."""

    value: float
    signature: str
    scale: tuple[float, float] = (0.0, 100.0)

    @property
    def shown(self) -> str:
        """The value for people, with four decimals on a scale such as -1 to 1 and two on 0 to 100.

        >>> Metric(33.034, "").shown, Metric(0.002563, "", (-1.0, 1.0)).shown
        ('33.03', '0.0026')
        """
        low, high = self.scale
        return f"{self.value:.4f}" if high is not None and high - low <= NARROW else f"{self.value:.2f}"


@dataclass(frozen=True, slots=True)
class PairedTest:
    """A paired significance test on one score (0-100) of two outputs of the same source.

    `difference` is candidate minus baseline, `interval` contains it in 95% of the resamples, `p_value` is the
    probability of a difference this large by chance alone, and `detectable` the smallest difference that
    this many such lines would show with a power of 80%. `signature` says how all of it was computed.
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
        """Whether the difference is significant at the 5% level."""
        return self.difference != 0 and self.p_value < LEVEL


@dataclass(frozen=True, slots=True)
class MetricFamily(Slice):
    """One metric of several members, such as the correlation of each time frame, as one run measured it.

    `values` by member are NaN where undefined, `counts` is the number of examples of each, `signature` says
    how they were computed.
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
        """The mean over the members with a finite value; NaN where none has one."""
        known = [value for value in self.values.values() if math.isfinite(value)]
        return sum(known) / len(known) if known else math.nan


@dataclass(frozen=True, slots=True)
class FamilyLimits(Slice):
    """Expected of a family: the values of the `parent` run, the lowest share (0-1) of the members that should
    improve on them, and the lowest mean. `no_parent` says why there is no parent run.
    """

    parent: MetricFamily | None = None
    no_parent: str = "it has no parent run to compare with"
    min_improved: float = 0.5
    min_mean: float | None = None


def apart(one: float, count: int, other: float, other_count: int) -> bool:
    """Whether two correlations differ by more than chance, at the 5% level: Fisher's z transformation.

    The test assumes independent samples. Correlations over the same examples vary together, so it is then
    conservative.
    """
    if min(count, other_count) <= 3 or max(abs(one), abs(other)) >= 1:
        return False
    error = math.sqrt(1 / (count - 3) + 1 / (other_count - 3))
    return abs(math.atanh(one) - math.atanh(other)) > NORMAL_QUANTILE * error
