"""TRN003: the gradient norm vanishes while there is still something to learn."""

from collections.abc import Iterator, Sequence
from math import isfinite

from guards.guard import Explanation
from guards.training.rolling_window import latest_median, shown
from ledger.evidence.training import LOSS_RESOLUTION, TrainingLimits, TrainingSeries
from ledger.findings import Finding, Severity, Skip

CODE = "TRN003"
TITLE = "the gradient norm vanishes"
READS = (TrainingLimits, TrainingSeries)
EXPLANATION = Explanation(
    means="The median gradient norm of the last 50 points (at least 10) is below 0.05, and the loss has not "
    "fallen to half of its initial value; or the norm is exactly 0 while the loss is 0.01 or more. Where no "
    "loss was logged, the norm alone decides.",
    matters="In a fine-tuning whose data had grown five times under the old learning rate and warm-up, the "
    "norms were 0.02 to 0.04, and it learned nothing in days. In float32, norms of 0.1 to 0.9 are usual. "
    "Small norms alone are not a fault: a model that has learned its data has them too.",
    do="Check whether the learning rate has reached its intended value (a long warm-up keeps it near zero), "
    "whether layers that should train are frozen, and whether the loss is divided by something. A norm of "
    "exactly 0 means that the loss does not depend on the weights.",
)


def inspect(expected: TrainingLimits, actual: TrainingSeries) -> Iterator[Finding | Skip]:
    """Compare the median of the latest norms with the limit, and the latest losses with the first."""
    norms = [
        (p.step, p.grad_norm) for p in actual.points if p.grad_norm is not None and isfinite(p.grad_norm)
    ]
    if len(norms) < expected.least_points:
        yield Skip(CODE, f"fewer than {expected.least_points} gradient norms were logged")
        return
    recent = norms[-expected.window :]
    norm = latest_median([norm for _, norm in recent], expected.window)
    losses = [p.loss for p in actual.points if p.loss is not None and isfinite(p.loss)]
    lowest = expected.vanishing_norm
    if norm < lowest and not _has_learned(norm, losses, expected):
        low, high = min(norm for _, norm in recent), max(norm for _, norm in recent)
        yield Finding(
            CODE,
            Severity.WARNING,
            f"the median gradient norm of the last {len(recent)} points is {shown(norm)} "
            f"({shown(low)} to {shown(high)}), below {lowest:g}{_loss_phrase(losses, expected)}",
            measured=norm,
            threshold=lowest,
            evidence={"first_step": recent[0][0], "last_step": recent[-1][0], "lowest": low, "highest": high},
        )


def _has_learned(norm: float, losses: Sequence[float], limits: TrainingLimits) -> bool:
    """Whether the loss is low enough to explain a small norm."""
    if not losses:
        return False
    first, latest = _first_and_latest(losses, limits)
    if norm == 0.0:
        return latest < LOSS_RESOLUTION
    return latest < LOSS_RESOLUTION or latest <= limits.learned_share * first


def _first_and_latest(losses: Sequence[float], limits: TrainingLimits) -> tuple[float, float]:
    few = min(limits.least_points, max(1, len(losses) // 2))
    return latest_median(losses[:few], few), latest_median(losses, few)


def _loss_phrase(losses: Sequence[float], limits: TrainingLimits) -> str:
    if not losses:
        return ""
    first, latest = _first_and_latest(losses, limits)
    return f", while the loss is {shown(latest)} and began at {shown(first)}"
