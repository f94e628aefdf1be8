"""PRE006: weights, gradients and optimizer alone need more memory than the device has free."""

from collections.abc import Iterator

from rich.filesize import decimal

from guards.guard import Explanation
from ledger.evidence.training import DeviceMemory, MemoryNeed
from ledger.findings import Finding, Severity

CODE = "PRE006"
TITLE = "the training will not fit into the device's memory"
READS = (MemoryNeed, DeviceMemory)
EXPLANATION = Explanation(
    means="The memory that a training needs at every step (weights, gradients, the optimizer's moments, "
    "master copies) is more than the device has free. With AdamW that is 16 bytes per parameter, both in "
    "float32 and in mixed precision.",
    matters="It would fail at the first step, after the model was downloaded and the data prepared. The "
    "estimate is a lower bound: activations need additional memory that grows with batch size and length "
    "and peaks with the longest batch, so a training can still run out of memory at step 784 (TRN006).",
    do="Use a smaller model or a larger device, or an optimizer with less state: Adafactor, or AdamW in 8 "
    "bits. Smaller batches only reduce activations. If another program occupies the memory, end it.",
)


def inspect(expected: MemoryNeed, actual: DeviceMemory) -> Iterator[Finding]:
    """Compare the bytes needed with the free bytes."""
    needed = expected.total_bytes
    if needed <= actual.free_bytes:
        return
    parts = ", ".join(f"{name} {decimal(size)}" for name, size in expected.parts.items())
    used = actual.total_bytes - actual.free_bytes
    others = f" ({decimal(used)} of its {decimal(actual.total_bytes)} are in use)" if used > 0 else ""
    yield Finding(
        CODE,
        Severity.ERROR,
        f"training needs at least {decimal(needed)} ({parts}; {expected.how}), and {actual.device} has "
        f"{decimal(actual.free_bytes)} free{others}; activations come on top",
        measured=actual.free_bytes,
        threshold=needed,
        evidence={"device": actual.device, "total_bytes": actual.total_bytes, "parts": dict(expected.parts)},
    )
