"""TRN005: the scale of mixed precision has sunk so low that float16 cannot hold the gradients."""

from collections.abc import Iterator
from math import isfinite

from guards.guard import Explanation
from guards.training.rolling_window import in_json, shown
from ledger.evidence.training import TrainingLimits, TrainingSeries
from ledger.findings import Finding, Severity, Skip

CODE = "TRN005"
TITLE = "the AMP scale has underflowed"
READS = (TrainingLimits, TrainingSeries)
EXPLANATION = Explanation(
    means="The factor by which float16 training (AMP) multiplies the loss has fallen below 1. It is "
    "halved at each step whose gradients overflow, and the step is left out; from torch's first scale, "
    "65,536, that is 16 halvings more than doublings.",
    matters="Below 1 the gradients overflow without any scaling: steps are left out one after the other, the "
    "weights stand still, and the loss that is logged still looks like one. T5 models trained in "
    "bfloat16 do this in float16.",
    do="Train in bfloat16 (bf16=True), or in float32 where the device has none. If it was well before, look "
    "at the data of the steps where the scale began to fall.",
)


def inspect(expected: TrainingLimits, actual: TrainingSeries) -> Iterator[Finding | Skip]:
    """Hold the lowest scale against the lowest that is of use."""
    seen = [(point.step, point.amp_scale) for point in actual.points if point.amp_scale is not None]
    if not seen:
        yield Skip(CODE, "no AMP scale was observed: no float16 training, or nobody looked")
        return
    low = [(step, scale) for step, scale in seen if not isfinite(scale) or scale < expected.least_amp_scale]
    if low:
        lowest = min(scale for _, scale in low)
        yield Finding(
            CODE,
            Severity.ERROR,
            f"the AMP scale is {shown(low[0][1])} at step {low[0][0]:,}, below {expected.least_amp_scale:g}; "
            f"it began with {shown(seen[0][1])} and the lowest is {shown(lowest)}",
            measured=in_json(lowest),
            threshold=expected.least_amp_scale,
            evidence={"first_step": low[0][0], "points_below": len(low), "points": len(seen)},
        )
