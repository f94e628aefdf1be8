"""Points of a series compared with the median of the points before them. Pure helpers."""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from statistics import median

# A normal distribution's standard deviation is 1.4826 times its median absolute deviation.
MAD_TO_DEVIATION = 1.4826


@dataclass(frozen=True, slots=True)
class WindowedPoint:
    """One value at one step, the median of the points before it, and those points.

    `index` is its place among the finite values: a training that was resumed has some steps twice.
    """

    index: int
    step: int
    value: float
    median: float
    before: tuple[float, ...]

    @property
    def times(self) -> float:
        """The value divided by the median; 0 where the median is not above zero."""
        return self.value / self.median if self.median > 0 else 0.0

    @property
    def usually_highest(self) -> float:
        """The 90th percentile of the points before it."""
        return sorted(self.before)[int(0.9 * (len(self.before) - 1))]

    @property
    def deviations(self) -> float:
        """The distance above the median in robust standard deviations (MAD); may be infinite."""
        spread = MAD_TO_DEVIATION * median(abs(value - self.median) for value in self.before)
        above = self.value - self.median
        return above / spread if spread > 0 else (float("inf") if above > 0 else 0.0)


def above_median(
    values: Sequence[tuple[int, float]], window: int, least: int, *, rise: float
) -> Iterator[WindowedPoint]:
    """Each (step, value) that is above `rise` times the median of up to `window` values before it.

    Values with fewer than `least` before them are left out; values that are not finite are ignored.
    """
    recent: deque[float] = deque()
    ordered: list[float] = []
    finite = ((step, value) for step, value in values if isfinite(value))
    for index, (step, value) in enumerate(finite):
        if len(ordered) >= least:
            middle = _median_of_sorted(ordered)
            if value > rise * middle:
                yield WindowedPoint(index, step, value, middle, tuple(recent))
        recent.append(value)
        insort(ordered, value)
        if len(recent) > window:
            del ordered[bisect_left(ordered, recent.popleft())]


def latest_median(values: Sequence[float], most: int) -> float:
    """The median of the last `most` values; there is at least one."""
    return median(values[-most:])


def shown(value: float) -> str:
    """A number with four significant digits, such as `0.03`, `2.31` or `1.2e+06`.

    >>> shown(0.0300001), shown(float("inf"))
    ('0.03', 'inf')
    """
    return f"{value:.4g}"


def _median_of_sorted(ordered: Sequence[float]) -> float:
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
