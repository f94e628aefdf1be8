"""CKP004: tensors of the reloaded model contain NaN or infinity."""

from collections.abc import Iterator

from guards.checkpoint.formatting import listed, tensors
from guards.checkpoint.skips import not_reloaded
from guards.guard import Explanation
from ledger.evidence.snapshot import Snapshot
from ledger.findings import Finding, Severity, Skip

CODE = "CKP004"
TITLE = "tensors are not finite"
READS = (Snapshot, Snapshot)
EXPLANATION = Explanation(
    means="A tensor of the reloaded model contains NaN or infinity in at least one place.",
    matters="One NaN spreads through every following layer, and generation continues without an error. "
    "Infinity comes from float16, whose largest number is 65,504.",
    do="If the tensors were not finite at the save, the training diverged: go back to the newest verified "
    "checkpoint and lower the learning rate or train in bfloat16. If they were finite, the file was "
    "damaged or cast: save again in float32.",
)


def inspect(expected: Snapshot, actual: Snapshot) -> Iterator[Finding | Skip]:
    """Name the tensors, and say whether they were finite at the save."""
    if actual.weights is None:
        yield not_reloaded(CODE, "weights", actual)
        return
    broken = actual.weights.not_finite
    if broken:
        before = expected.weights
        yield Finding(
            CODE,
            Severity.ERROR,
            f"{tensors(len(broken))} with NaN or infinity: {listed(broken)}"
            + (_since(len(set(broken) & set(before.not_finite)), len(broken)) if before else ""),
            measured=len(broken),
            threshold=0,
            evidence={
                "tensors": sorted(broken),
                "at_the_save": sorted(before.not_finite) if before else None,
            },
        )


def _since(already: int, now: int) -> str:
    if already == now:
        return ", as already at the save"
    return ", finite at the save" if not already else f", {already} of them already at the save"
