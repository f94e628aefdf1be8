"""Detects lasting rises and isolated spikes in a logged loss. Pure helpers.

The limits were chosen on public logs of the Hugging Face Trainer; docs/training-health.md has the figures.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log, sqrt
from statistics import median

from guards.training.rolling_window import MAD_TO_DEVIATION
from ledger.evidence.training import LOSS_RESOLUTION, TrainingLimits

# The standard error of a median of n normal values is 1.2533 times that of their mean.
MEDIAN_TO_MEAN = 1.2533
FIRST_ROWS = 5
LEAST_SPREAD = 0.02  # of the logarithm: a smooth curve has bends of its own


@dataclass(frozen=True, slots=True)
class Rise:
    """A loss that rose and stayed up: the step at which it shows, from what, and to what."""

    step: int
    before: float
    after: float
    reason: str
    limit: float

    @property
    def times(self) -> float:
        """`after` as a multiple of `before`, which is at least the log's resolution."""
        return self.after / max(self.before, LOSS_RESOLUTION)


Losses = Sequence[tuple[int, float]]


def find_rise(losses: Losses, limits: TrainingLimits) -> Rise | None:
    """The rise found by the first test that fires, in the order below; None if none does."""
    if len(losses) < limits.trend_points:
        return None
    values = [loss for _, loss in losses]
    rows = limits.trend_rows
    medians = [median(values[i - rows : i]) for i in range(rows, len(values) + 1)]
    return (
        _above_the_lowest(losses, medians, limits)
        or _back_at_the_start(losses, medians, limits)
        or _step(losses, limits)
        or _shift(losses, limits)
    )


def rows_above_neighbours(losses: Losses, limits: TrainingLimits) -> Iterator[int]:
    """The indices of isolated spikes: rows far above the two rows on either side."""
    for i in range(limits.least_points, len(losses) - 1):
        around = [loss for _, loss in (*losses[i - 2 : i], *losses[i + 1 : i + 3])]
        base = max(*around, LOSS_RESOLUTION)
        loss = losses[i][1]
        if loss >= max(limits.diverged_times, 1 + limits.spike_rise) * base:
            spread = _spread([value for _, value in losses[max(0, i - limits.window) : i]])
            if log(loss / base) >= limits.step_deviations * spread:
                yield i


def _above_the_lowest(losses: Losses, medians: Sequence[float], limits: TrainingLimits) -> Rise | None:
    """The latest median is `diverged_times` the lowest median so far."""
    lowest, now = min(medians), medians[-1]
    limit = max(LOSS_RESOLUTION, limits.diverged_times * lowest)
    if now < limit:
        return None
    reason = f"the lowest, up to step {_step_of(medians.index(lowest), losses, limits):,}"
    step = _step_of(_first_above(medians, limit), losses, limits)
    return Rise(step, lowest, now, reason, limits.diverged_times)


def _back_at_the_start(losses: Losses, medians: Sequence[float], limits: TrainingLimits) -> Rise | None:
    """The latest median has returned to the first, from a level that was lower by a tenth."""
    first = median(loss for _, loss in losses[:FIRST_ROWS])
    lowest, now = min(medians), medians[-1]
    limit = max(limits.returned_share * first, LOSS_RESOLUTION, limits.returned_rise * lowest)
    if now < limit:
        return None
    low = _step_of(medians.index(lowest), losses, limits)
    step = _step_of(_first_above(medians, limit), losses, limits)
    return Rise(
        step, lowest, now, f"the lowest, up to step {low:,}; it began with {first:.4g}", limits.returned_rise
    )


def _first_above(medians: Sequence[float], limit: float) -> int:
    """The first median since the lowest that is at the limit: the latest is."""
    return next(i for i in range(medians.index(min(medians)), len(medians)) if medians[i] >= limit)


def _step_of(index: int, losses: Losses, limits: TrainingLimits) -> int:
    """The last step of the rows whose median has this index."""
    return losses[index + limits.trend_rows - 1][0]


def _step(losses: Losses, limits: TrainingLimits) -> Rise | None:
    """Rows that all lie above those just before them, by far more than rows differ otherwise."""
    values = [loss for _, loss in losses]
    for i in range(limits.least_points, len(values) - limits.step_rows + 1):
        step = losses[i][0]
        if rise := rise_between(values[:i], values[i:], step, limits):
            return rise
    return None


def rise_between(
    before: Sequence[float], after: Sequence[float], step: int, limits: TrainingLimits
) -> Rise | None:
    """A rise from the last rows of `before` to all of the first rows of `after`, which begins at `step`."""
    count = limits.step_rows
    if min(len(before), len(after)) < count:
        return None
    low, rows = min(after[:count]), before[-count:]
    if low < limits.step_rise * max(*rows, LOSS_RESOLUTION):
        return None
    base = max(median(rows), LOSS_RESOLUTION)
    if log(low / base) < limits.step_deviations * _spread(before[-limits.window :]):
        return None
    return Rise(step, base, low, f"the {count} rows before step {step:,}", limits.step_rise)


def _shift(losses: Losses, limits: TrainingLimits) -> Rise | None:
    """The median of some rows against the median of as many before them, in standard errors."""
    values = [loss for _, loss in losses]
    rows = limits.trend_rows
    for i in range(rows, len(values) - rows + 1):
        before, after = max(median(values[i - rows : i]), LOSS_RESOLUTION), median(values[i : i + rows])
        if after < limits.shift_times * before:
            continue
        error = _spread(values[max(0, i - limits.window) : i]) * MEDIAN_TO_MEAN * sqrt(2 / rows)
        if log(after / before) >= limits.shift_deviations * error:
            step = losses[i][0]
            return Rise(step, before, after, f"the {rows} rows before step {step:,}", limits.shift_times)
    return None


def _spread(values: Sequence[float]) -> float:
    """The robust standard deviation of the logarithm from row to row, the trend taken off."""
    logs = [log(max(value, LOSS_RESOLUTION)) for value in values]
    moves = [b - a for a, b in pairwise(logs)]
    if len(moves) < 4:
        return float("inf")
    middle = median(moves)
    deviation = MAD_TO_DEVIATION * median(abs(move - middle) for move in moves)
    return max(deviation / sqrt(2), LEAST_SPREAD)
