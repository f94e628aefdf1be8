"""TRN005: the AMP loss scale has fallen so low that gradients overflow float16 without any scaling."""

from collections.abc import Iterator
from math import isfinite

from guards.guard import Explanation
from guards.training.rolling_window import shown
from ledger.evidence.training import TrainingLimits, TrainingSeries
from ledger.findings import Finding, Severity, Skip
from ledger.utils.json_values import finite_or_name

CODE = "TRN005"
TITLE = "the AMP scale has underflowed"
READS = (TrainingLimits, TrainingSeries)
EXPLANATION = Explanation(
    means="The factor by which float16 training (AMP) multiplies the loss has fallen below 1. Each step "
    "whose gradients overflow is skipped and halves the factor; from torch's initial scale of 65,536, that "
    "takes 16 more halvings than doublings.",
    matters="Below 1, the gradients overflow even without scaling: step after step is skipped, the weights "
    "do not change, and the logged loss still looks plausible. T5 models that were trained in bfloat16 do "
    "this in float16.",
    do="Train in bfloat16 (bf16=True), or in float32 on devices without bfloat16. If training went well at "
    "first, inspect the data of the steps where the scale began to fall.",
)


def inspect(expected: TrainingLimits, actual: TrainingSeries) -> Iterator[Finding | Skip]:
    """Compare every scale with the lowest useful one."""
    scales = [(point.step, point.amp_scale) for point in actual.points if point.amp_scale is not None]
    if not scales:
        yield Skip(CODE, "no AMP scale was recorded: not a float16 training, or not monitored")
        return
    low = [(step, scale) for step, scale in scales if not isfinite(scale) or scale < expected.least_amp_scale]
    if low:
        lowest = min(scale for _, scale in low)
        yield Finding(
            CODE,
            Severity.ERROR,
            f"the AMP scale is {shown(low[0][1])} at step {low[0][0]:,}, below {expected.least_amp_scale:g}; "
            f"it began at {shown(scales[0][1])}, and the lowest is {shown(lowest)}",
            measured=finite_or_name(lowest),
            threshold=expected.least_amp_scale,
            evidence={"first_step": low[0][0], "points_below": len(low), "points": len(scales)},
        )
