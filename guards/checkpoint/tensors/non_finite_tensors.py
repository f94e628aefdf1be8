"""CKP004: tensors or logits of the reloaded model contain NaN or infinity, or nothing but zeros."""

from collections.abc import Iterator

from guards.checkpoint.formatting import listed, tensors
from guards.checkpoint.skips import not_reloaded
from guards.guard import Explanation
from ledger.evidence.snapshot import Snapshot, Weights
from ledger.findings import Finding, Severity, Skip
from ledger.utils.plural import count

CODE = "CKP004"
TITLE = "tensors or logits are not finite, or zero"
MANY = 0.1  # of the matrices
READS = (Snapshot, Snapshot)
EXPLANATION = Explanation(
    means="A tensor of the reloaded model contains NaN or infinity in at least one place, or its logits do, "
    "for the batch of the evidence, the given lines or a few built-in sentences. Logits of minus infinity "
    "that exclude a token everywhere are sound. Or, without evidence of the save, matrices hold nothing but "
    "zeros: an error for a tenth of the matrices, a warning for fewer.",
    matters="One NaN spreads through every following layer, and generation continues without an error: the "
    "text is only empty. Infinity comes from float16, whose largest number is 65,504. The weights may all be "
    "finite and the activations exceed it, as in T5 models that were trained in bfloat16. A copy that broke "
    "off may have its full size and end in zeros.",
    do="If the tensors were not finite at the save, the training diverged: go back to the newest verified "
    "checkpoint and lower the learning rate or train in bfloat16. If they were finite, the file was "
    "damaged or cast: save again in float32. If only the logits are not finite, load it in bfloat16 or "
    "float32. Copy a file that ends in zeros again, and compare its SHA-256.",
)


def inspect(expected: Snapshot, actual: Snapshot) -> Iterator[Finding | Skip]:
    """Name the tensors, and whether they were finite at the save; then the logits, then the zeros."""
    if actual.weights is None:
        yield not_reloaded(CODE, "weights", actual)
        return
    # Without settings only the tensors are known; no model can be run.
    if actual.forward is None and actual.effective is not None:
        yield not_reloaded(CODE, "forward", actual)
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
    if actual.forward is not None and (where := actual.forward.not_finite):
        yield Finding(
            CODE,
            Severity.ERROR,
            f"the logits are not finite: {where}, computed in {actual.forward.dtype}"
            + ("" if broken else "; every tensor is finite"),
            measured=where,
            evidence={"data_type": actual.forward.dtype, "device": actual.forward.device},
        )

    if actual.weights.zeros and expected.weights is None:  # with evidence, CKP005 compares them
        yield _zero(actual.weights)


def _zero(weights: Weights) -> Finding:
    matrices = sum(sum(size > 1 for size in shape) > 1 for shape in weights.shapes.values())
    share = len(weights.zeros) / max(matrices, 1)
    return Finding(
        CODE,
        Severity.ERROR if len(weights.zeros) > 1 and share >= MANY else Severity.WARNING,
        f"{len(weights.zeros):,} of {count(matrices, 'matrix', 'matrices')} hold nothing but zeros: "
        f"{listed(weights.zeros)}",
        measured=len(weights.zeros),
        threshold=0,
        evidence={"tensors": sorted(weights.zeros)},
    )


def _since(already: int, now: int) -> str:
    if already == now:
        return ", as already at the save"
    return ", finite at the save" if not already else f", {already} of them already at the save"
