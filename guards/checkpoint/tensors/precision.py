"""How far the logits of a sound reload may differ from those of the save: pure functions of this family.

At the same data type and device, with the same torch, a sound reload is bit-equal, so equality is required.
Elsewhere sums are computed in another order or rounded, which TOLERANCE allows for.
"""

from dataclasses import dataclass
from enum import Enum

from ledger.evidence.snapshot import Forward, Snapshot, Weights

# The largest absolute difference of a logit that rounding explains, by the coarser of the data types.
# Measured on Marian (2 + 2 layers of 128, 6 + 6 of 256) and mBART (2 + 2 of 128), half-trained on
# Korean-Japanese pairs, logits up to 14, compared with float32 on the CPU: float64 differed by 8e-6, a
# float16 file by 0.006 and float16 arithmetic by 0.015, a bfloat16 file by 0.06, autocast by 0.06 and
# bfloat16 arithmetic by 0.10. Each limit is several times that. The faults that ruin a translation exceed the
# widest: another activation 0.8 to 6, one zeroed row of the embedding 2 to 5, a newly initialised matrix 2 to
# 10. One flipped sign (0.015) and noise of 0.1% (0.03) do not: where a tolerance is needed, such a fault
# shows only in the digests.
TOLERANCE = {"float64": 1e-3, "float32": 1e-3, "float16": 0.1, "bfloat16": 0.5}


class Agreement(Enum):
    """How the logits of the probe batch compare with those of the save."""

    EQUAL = "bit-equal"
    WITHIN = "within tolerance"
    BEYOND = "beyond tolerance"
    UNKNOWN = "not compared"


@dataclass(frozen=True, slots=True)
class Demand:
    """The requirement on the logits: equality, or a `tolerance` for the reason `why`."""

    equality: bool
    tolerance: float
    why: str

    def __str__(self) -> str:
        if self.equality:
            return f"equality is required: {self.why}"
        return f"tolerance {self.tolerance:g}: {self.why}"


def demand(expected: Snapshot, actual: Snapshot) -> Demand:
    """The requirement that follows from both sides' data types, devices and torch; both have a `forward`."""
    before, after = _forward(expected), _forward(actual)
    coarsest = max(
        {before.dtype, after.dtype, *_dtypes(expected.weights), *_dtypes(actual.weights)}, key=_tolerance
    )
    torch = [side.origin.versions.get("torch") for side in (expected, actual)]
    reasons = []
    if before.dtype != after.dtype:
        reasons.append(f"computed in {after.dtype}, in {before.dtype} at the save")
    if before.device != after.device:
        reasons.append(f"on {after.device}, on {before.device} at the save")
    if is_cast(expected.weights, actual.weights):
        reasons.append("tensors cast")
    if None not in torch and torch[0] != torch[1]:
        reasons.append(f"torch {torch[1]}, {torch[0]} at the save")
    return Demand(not reasons, _tolerance(coarsest), ", ".join(reasons) or "same data type and device")


def agreement(expected: Snapshot, actual: Snapshot) -> Agreement:
    """How the logits compare; the loss decides where no logits were stored."""
    before, after = expected.forward, actual.forward
    if before is None or after is None:
        return Agreement.UNKNOWN
    if before.logits_digest == after.logits_digest:
        return Agreement.EQUAL
    within = difference(before, after) <= demand(expected, actual).tolerance  # false for NaN
    return Agreement.WITHIN if within else Agreement.BEYOND


def difference(before: Forward, after: Forward) -> float:
    """The largest absolute difference of a logit; of the loss, in nats, where no logits were stored."""
    return abs(after.loss - before.loss) if after.max_difference is None else after.max_difference


def is_cast(before: Weights | None, after: Weights | None) -> bool:
    """Whether a tensor has another data type than at the save."""
    if before is None or after is None:
        return False
    return any(after.dtypes.get(name, dtype) != dtype for name, dtype in before.dtypes.items())


def _forward(side: Snapshot) -> Forward:
    if side.forward is None:
        raise ValueError("there is no forward pass to compare")
    return side.forward


def _dtypes(weights: Weights | None) -> set[str]:
    return {dtype for dtype in weights.dtypes.values() if "float" in dtype} if weights else set()


def _tolerance(dtype: str) -> float:
    # Types that are not in the table (float8) are coarser than those that are.
    return TOLERANCE.get(dtype, TOLERANCE["bfloat16"])
