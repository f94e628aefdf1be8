"""TRN001: the loss is not a number, be it hidden by the Trainer's filter."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from math import isfinite

from guards.guard import Explanation
from guards.training.rolling_window import shown
from ledger.evidence.training import LOSS_RESOLUTION, TrainingLimits, TrainingPoint, TrainingSeries
from ledger.findings import Finding, Severity, Skip

CODE = "TRN001"
TITLE = "the loss is NaN or infinite, or hides it"
READS = (TrainingLimits, TrainingSeries)
EXPLANATION = Explanation(
    means="A loss is NaN or infinite. Where only the log of the Hugging Face Trainer is at hand, its filter "
    "(logging_nan_inf_filter, on by default) has left such steps out of the mean: a row made of nothing "
    "else reads exactly 0.0. So a loss that was 0.01 or more and is exactly 0.0 in the next row is an "
    "error, as is a 0.0 beside a gradient norm that is not finite; a first row of 0.0 with no norm beside "
    "it is a warning. Five equal rows in a row are a warning too: the weights do not move, or the values "
    "are stand-ins.",
    matters="The curve looks perfect while every weight is NaN. A model that really learned its data by "
    "heart also reads 0.0, as the Trainer rounds to 4 decimals: it gets there through small values, and is "
    "not flagged.",
    do="Train on from the last verified checkpoint, in float32 or bfloat16 instead of float16, or with a "
    "lower learning rate. Set logging_nan_inf_filter=False to see the step at which it begins.",
)
Seen = Sequence[tuple[TrainingPoint, float]]


def inspect(expected: TrainingLimits, actual: TrainingSeries) -> Iterator[Finding | Skip]:
    """Look for losses that are not finite, then for the traces that the filter leaves of them."""
    seen = [(point, point.loss) for point in actual.points if point.loss is not None]
    if not seen:
        yield Skip(CODE, "no loss was logged")
        return
    if bad := [point for point, loss in seen if not isfinite(loss)]:
        name = "NaN" if bad[0].loss != bad[0].loss else "infinite"
        yield _found(Severity.ERROR, f"the loss is {name} from step {bad[0].step:,} on", bad, seen)
    if actual.filtered:
        yield from _hidden(seen)
        yield from _standing_still(seen, expected.repeated_losses)


def _hidden(seen: Seen) -> Iterator[Finding]:
    """The zeros that were no small losses before they were zeros."""
    before: float | None = None
    hidden: list[TrainingPoint] = []
    for point, loss in seen:
        if loss == 0.0 and (_is_broken(point) or (before is not None and before >= LOSS_RESOLUTION)):
            hidden.append(point)
        elif loss != 0.0 and isfinite(loss):
            before = loss
    first, loss = seen[0]
    if hidden:
        was = "" if before is None else f" after {shown(before)}"
        says = (
            f"the loss reads exactly 0.0{was} from step {hidden[0].step:,} on: the Trainer's filter hides NaN"
        )
        yield _found(Severity.ERROR, says, hidden, seen)
    elif loss == 0.0 and first.grad_norm is None:
        says = f"the first loss, at step {first.step:,}, reads exactly 0.0: the filter may hide NaN"
        yield _found(Severity.WARNING, says, [first], seen)


def _is_broken(point: TrainingPoint) -> bool:
    return point.grad_norm is not None and not isfinite(point.grad_norm)


def _standing_still(seen: Seen, least: int) -> Iterator[Finding]:
    runs = [list(run) for loss, run in groupby(seen, key=lambda pair: pair[1]) if loss >= LOSS_RESOLUTION]
    longest = max(runs, key=len, default=[])
    if len(longest) >= least:
        points = [point for point, _ in longest]
        says = (
            f"the loss is {shown(longest[0][1])} in {len(longest)} rows one after the other, "
            f"from step {points[0].step:,} on: the weights do not move, or the values are stand-ins"
        )
        yield _found(Severity.WARNING, says, points, seen)


def _found(severity: Severity, says: str, bad: Sequence[TrainingPoint], seen: Seen) -> Finding:
    return Finding(
        CODE,
        severity,
        f"{says} ({len(bad):,} of {len(seen):,} points)",
        measured=len(bad),
        threshold=0,
        evidence={"first_step": bad[0].step, "last_step": bad[-1].step, "points": len(seen)},
    )
