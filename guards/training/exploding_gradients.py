"""TRN002: the gradient norm explodes."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from math import isfinite

from guards.guard import Explanation
from guards.training.rolling_window import Beside, beside_earlier, in_json, latest_median, points, shown
from ledger.evidence.training import TrainingLimits, TrainingPoint, TrainingSeries
from ledger.findings import Finding, Severity, Skip

CODE = "TRN002"
TITLE = "the gradient norm explodes"
READS = (TrainingLimits, TrainingSeries)
EXPLANATION = Explanation(
    means="The gradient norm, before clipping, is ten times the median of the 50 points before it in three "
    "points in a row, or a hundred times in one. In the first ten points, where there is no such median "
    "yet, it is the median of the latest ones at a hundred times the first. So is a norm that is not finite "
    "in three points in a row or in the last; with AMP in sixteen, since its scaler finds the right scale by "
    "such steps, and leaves them out.",
    matters="Clipping bounds the step, not the damage: its direction is that of a few broken examples, and "
    "the optimizer's second moments remember it for thousands of steps. Norms of tens of thousands in "
    "float16 may be the scaled ones: the true norm is that divided by the AMP scale.",
    do="Look at the batch of the step that is named. Lower the learning rate or lengthen the warm-up, and "
    "keep max_grad_norm at 1 or below. Compare norms between precisions only once the scale is out.",
)
# 16 halvings take GradScaler from its first scale, 65,536, to 1.
AMP_SEARCHES = 16


def inspect(expected: TrainingLimits, actual: TrainingSeries) -> Iterator[Finding | Skip]:
    """Hold each norm against the median of those before it."""
    seen = [(point, point.grad_norm) for point in actual.points if point.grad_norm is not None]
    if not seen:
        yield Skip(CODE, "no gradient norm was logged")
        return
    yield from _not_finite(seen, expected.exploding_points)
    values = [(point.step, norm) for point, norm in seen if isfinite(norm)]
    most = expected.exploding_times
    risen = beside_earlier(values, expected.window, expected.least_points, rise=most)
    if flagged := _sustained([beside for beside in risen if beside.median > 0], expected):
        worst = max(flagged, key=lambda beside: beside.times)
        before = f"of the points before it ({points(len(flagged))})"
        yield _found(worst.step, worst.value, worst.median, before, most)
    else:
        yield from _at_the_start(values[: expected.least_points + 1], expected)


def _sustained(high: Sequence[Beside], limits: TrainingLimits) -> list[Beside]:
    """Of the high points those that are enormous, or that stand in a row of enough."""
    runs = groupby(enumerate(high), key=lambda pair: pair[1].index - pair[0])
    rows = [[beside for _, beside in run] for _, run in runs]
    return [
        beside
        for row in rows
        for beside in row
        if len(row) >= limits.exploding_points or beside.times >= limits.exploding_at_once
    ]


def _at_the_start(values: Sequence[tuple[int, float]], limits: TrainingLimits) -> Iterator[Finding]:
    """Hold the median of the first few norms against the very first: there is nothing else yet."""
    norms = [norm for _, norm in values]
    if len(norms) <= limits.exploding_points or norms[0] <= 0:
        return
    later = latest_median(norms[1:], limits.least_points)
    if later > limits.exploding_at_once * norms[0]:
        before = f"of the first step, in the median of the {len(norms) - 1} after it"
        yield _found(values[-1][0], later, norms[0], before, limits.exploding_at_once)


def _found(step: int, value: float, usual: float, before: str, threshold: float) -> Finding:
    return Finding(
        CODE,
        Severity.WARNING,
        f"the gradient norm is {shown(value)} at step {step:,}, {value / usual:,.0f} times the "
        f"{shown(usual)} {before}",
        measured=in_json(value / usual),
        threshold=threshold,
        evidence={"step": step, "norm": in_json(value), "usual": usual},
    )


def _not_finite(seen: Sequence[tuple[TrainingPoint, float]], least: int) -> Iterator[Finding]:
    scaled = any(point.amp_scale is not None for point, _ in seen)
    runs = [
        [point for point, _ in run]
        for fine, run in groupby(seen, key=lambda pair: isfinite(pair[1]))
        if not fine
    ]
    longest = max(runs, key=len, default=[])
    allowed = AMP_SEARCHES if scaled else least
    ends_so = not scaled and not isfinite(seen[-1][1])
    if len(longest) >= allowed or ends_so:
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
