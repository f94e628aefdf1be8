"""TRN006: the training ran out of memory."""

import re
from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.training import TrainingFailure, TrainingLimits, TrainingSeries
from ledger.findings import Finding, Severity
from ledger.utils.text import shorten

CODE = "TRN006"
TITLE = "the training ran out of memory"
READS = (TrainingLimits, TrainingSeries)
EXPLANATION = Explanation(
    means="The training ended with a failed allocation, on the device or on the CPU; the finding names the "
    "step. A process that was killed by signal 9 without a message is a warning: the kernel does that to a "
    "process that takes all memory, and so does kill -9.",
    matters="A training that fits for 783 steps can fail at the next: the peak comes with the longest "
    "batch. Earlier checkpoints are still good; one that was being written may be truncated.",
    do="Halve per_device_train_batch_size and double gradient_accumulation_steps, which keeps the batch "
    "size; group by length or lower the maximum length; or use gradient_checkpointing. After a signal 9, "
    "`dmesg` shows whether it was the kernel. Then resume from the last verified checkpoint.",
)
# The messages of torch (CUDA, ROCm, MPS, CPU), cuBLAS and Python itself.
_OUT_OF_MEMORY = re.compile(
    r"out of memory|OutOfMemoryError|can't allocate memory|not enough memory|"
    r"(ALLOC_FAILED|CUBLAS_STATUS_NOT_INITIALIZED)|\bMemoryError\b|Cannot allocate memory",
    re.IGNORECASE,
)
_SIZE = re.compile(r"[Tt]ried to allocate ([\d.]+ ?[KMGT]?i?B|\d+ bytes)")
_CAPACITY = re.compile(r"total capacity of ([\d.]+ ?[KMGT]?i?B)")
SIGKILL = 9
MOST_SHOWN = 200


def inspect(expected: TrainingLimits, actual: TrainingSeries) -> Iterator[Finding]:  # noqa: ARG001
    """Search the message of the failure for a failed allocation."""
    failure = actual.failure
    if failure is None:
        return
    if match := _OUT_OF_MEMORY.search(failure.message):
        yield _found(
            Severity.ERROR, f"out of memory {_where(failure)}: {_line(failure, match.start())}", failure
        )
    elif failure.signal == SIGKILL:
        yield _found(
            Severity.WARNING, f"killed by signal 9 {_where(failure)}, perhaps for lack of memory", failure
        )


def _found(severity: Severity, message: str, failure: TrainingFailure) -> Finding:
    sizes = {"tried": _SIZE.search(failure.message), "capacity": _CAPACITY.search(failure.message)}
    return Finding(
        CODE,
        severity,
        message,
        measured=failure.step,
        evidence={
            "step": failure.step,
            "signal": failure.signal,
            **{name: found[1] for name, found in sizes.items() if found},
        },
    )


def _where(failure: TrainingFailure) -> str:
    return "at an unknown step" if failure.step is None else f"at step {failure.step:,}"


def _line(failure: TrainingFailure, place: int) -> str:
    """The line of the message at `place`: a traceback has many."""
    start = failure.message.rfind("\n", 0, place) + 1
    return shorten(failure.message[start:].splitlines()[0].strip(), MOST_SHOWN)
