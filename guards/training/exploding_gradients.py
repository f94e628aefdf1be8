"""TRN002: the gradient norm explodes."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from math import isfinite

from guards.guard import Explanation
from guards.training.rolling_window import WindowedPoint, above_median, latest_median, shown
from ledger.evidence.training import TrainingLimits, TrainingPoint, TrainingSeries
from ledger.findings import Finding, Severity, Skip
from ledger.utils.json_values import finite_or_name
from ledger.utils.plural import count

CODE = "TRN002"
TITLE = "the gradient norm explodes"
READS = (TrainingLimits, TrainingSeries)
EXPLANATION = Explanation(
    means="The gradient norm before clipping is ten times the median of the 50 points before it in three "
    "consecutive points, or a hundred times in one. For the first ten points, which have no such median, "
    "the median of the points after the first is compared with a hundred times the first. A norm that is not "
    "finite in three consecutive points, or in the last one, counts as well; with AMP it takes sixteen, "
    "since its scaler finds the right scale by such steps and skips them.",
    matters="Clipping bounds the step, not the damage: the direction is that of a few broken examples, and "
    "the optimizer's second moments carry it for thousands of steps. Norms of tens of thousands in "
    "float16 may still be scaled: divide by the AMP scale to get the true norm.",
    do="Inspect the batch of the step that the finding names. Lower the learning rate or lengthen the "
    "warm-up, and keep max_grad_norm at 1 or below. Compare norms between precisions only after removing the "
    "AMP scale.",
)
# 16 halvings take GradScaler from its first scale, 65,536, to 1.
AMP_SEARCHES = 16


def inspect(expected: TrainingLimits, actual: TrainingSeries) -> Iterator[Finding | Skip]:
    """Compare each norm with the median of those before it."""
    norms = [(point, point.grad_norm) for point in actual.points if point.grad_norm is not None]
    if not norms:
        yield Skip(CODE, "no gradient norm was logged")
        return
    yield from _not_finite(norms, expected.exploding_points)
    values = [(point.step, norm) for point, norm in norms if isfinite(norm)]
    most = expected.exploding_times
    high = above_median(values, expected.window, expected.least_points, rise=most)
    if flagged := _sustained([point for point in high if point.median > 0], expected):
        worst = max(flagged, key=lambda point: point.times)
        before = f"of the points before it ({count(len(flagged), 'such point')})"
        yield _found((worst.step, worst.value), worst.median, before, most, [p.step for p in flagged])
    else:
        yield from _at_the_start(values[: expected.least_points + 1], expected)


def _sustained(high: Sequence[WindowedPoint], limits: TrainingLimits) -> list[WindowedPoint]:
    """The high points that are enormous, or that belong to a long enough row of consecutive ones."""
    groups = groupby(enumerate(high), key=lambda pair: pair[1].index - pair[0])
    rows = [[point for _, point in group] for _, group in groups]
    return [
        point
        for row in rows
        for point in row
        if len(row) >= limits.exploding_points or point.times >= limits.exploding_at_once
    ]


def _at_the_start(values: Sequence[tuple[int, float]], limits: TrainingLimits) -> Iterator[Finding]:
    """Compare the median of the first few norms with the very first: no window exists so early."""
    norms = [norm for _, norm in values]
    if len(norms) <= limits.exploding_points or norms[0] <= 0:
        return
    later = latest_median(norms[1:], limits.least_points)
    if later > limits.exploding_at_once * norms[0]:
        before = f"of the first step, as the median of the {len(norms) - 1} after it"
        last = values[-1][0]
        yield _found((last, later), norms[0], before, limits.exploding_at_once, [last])


def _found(
    worst: tuple[int, float], usual: float, before: str, threshold: float, steps: Sequence[int]
) -> Finding:
    step, value = worst
    return Finding(
        CODE,
        Severity.WARNING,
        f"the gradient norm is {shown(value)} at step {step:,}, {value / usual:,.0f} times the "
        f"{shown(usual)} {before}",
        measured=finite_or_name(value / usual),
        threshold=threshold,
        evidence={"step": step, "steps": list(steps[:20]), "norm": finite_or_name(value), "usual": usual},
    )


def _not_finite(norms: Sequence[tuple[TrainingPoint, float]], least: int) -> Iterator[Finding]:
    scaled = any(point.amp_scale is not None for point, _ in norms)
    runs = [
        [point for point, _ in run]
        for finite, run in groupby(norms, key=lambda pair: isfinite(pair[1]))
        if not finite
    ]
    longest = max(runs, key=len, default=[])
    allowed = AMP_SEARCHES if scaled else least
    ends_not_finite = not scaled and not isfinite(norms[-1][1])
    if len(longest) >= allowed or ends_not_finite:
        bad = longest if len(longest) >= allowed else runs[-1]
        yield Finding(
            CODE,
            Severity.WARNING,
            f"the gradient norm is not finite from step {bad[0].step:,} to {bad[-1].step:,} "
            f"({len(bad):,} in a row)",
            measured=len(bad),
            threshold=allowed,
            evidence={"step": bad[0].step, "last_step": bad[-1].step, "amp": scaled},
        )
