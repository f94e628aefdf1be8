"""What the rules on a series share: a point beside the median of those before it. Pure helpers."""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from statistics import median

# A normal distribution's standard deviation is 1.4826 times its median absolute deviation.
MAD_TO_DEVIATION = 1.4826


@dataclass(frozen=True, slots=True)
class Beside:
    """One value at one step, the median of the points before it, and those points.

    `index` is its place among the finite values: a training that went back has a step twice.
    """

    index: int
    step: int
    value: float
    median: float
    before: tuple[float, ...]

    @property
    def times(self) -> float:
        """How many times the median the value is; 0 where the median is not above zero."""
        return self.value / self.median if self.median > 0 else 0.0

    @property
    def usually_highest(self) -> float:
        """What nine in ten of the points before it do not exceed."""
        return sorted(self.before)[int(0.9 * (len(self.before) - 1))]

    @property
    def deviations(self) -> float:
        """How many robust standard deviations (MAD) above the median the value is; may be infinite."""
        spread = MAD_TO_DEVIATION * median(abs(value - self.median) for value in self.before)
        above = self.value - self.median
        return above / spread if spread > 0 else (float("inf") if above > 0 else 0.0)


def beside_earlier(
    values: Sequence[tuple[int, float]], window: int, least: int, *, rise: float
) -> Iterator[Beside]:
    """Each (step, value) that is above `rise` times the median of up to `window` values before it.

    Values with fewer than `least` before them are left out; those that are not finite count for nothing.
    """
    recent: deque[float] = deque()
    ordered: list[float] = []
    finite = ((step, value) for step, value in values if isfinite(value))
    for index, (step, value) in enumerate(finite):
        if len(ordered) >= least:
            middle = _median_of_sorted(ordered)
            if value > rise * middle:
                yield Beside(index, step, value, middle, tuple(recent))
        recent.append(value)
        insort(ordered, value)
        if len(recent) > window:
            del ordered[bisect_left(ordered, recent.popleft())]


def latest_median(values: Sequence[float], most: int) -> float:
    """The median of the last `most` values; there is at least one."""
    return median(values[-most:])


def shown(value: float) -> str:
    """A number in four digits, as `0.03`, `2.31` or `1.2e+06`.

    >>> shown(0.0300001), shown(float("inf"))
    ('0.03', 'inf')
    """
    return f"{value:.4g}"


def points(count: int) -> str:
    """How many such points there are.

    >>> points(1), points(2)
    ('1 such point', '2 such points')
    """
    return f"{count:,} such point{'' if count == 1 else 's'}"


def in_json(value: float) -> float | str:
    """The number, or its name where JSON has none for it (NaN, infinity)."""
    return value if isfinite(value) else str(value)


def _median_of_sorted(ordered: Sequence[float]) -> float:
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
