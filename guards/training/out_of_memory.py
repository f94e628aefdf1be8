"""TRN006: the training ran out of memory."""

import re
from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.training import TrainingFailure, TrainingLimits, TrainingSeries
from ledger.findings import Finding, Severity

CODE = "TRN006"
TITLE = "the training ran out of memory"
READS = (TrainingLimits, TrainingSeries)
EXPLANATION = Explanation(
    means="The training ended with the error of an allocation that failed, on the device or on the CPU; the "
    "step is told. A process that was killed by signal 9 and said nothing is a warning: that is what the "
    "kernel does to one that takes all memory, and what a person does with kill -9.",
    matters="What fits for 783 steps can fail at the next: the peak comes with the longest batch. The "
    "checkpoints from before it are as good as they were; one that was being written may be torn.",
    do="Halve per_device_train_batch_size and double gradient_accumulation_steps, which keeps the batch; "
    "group by length or lower the longest length; or use gradient_checkpointing. After a signal 9, `dmesg` "
    "tells whether it was the kernel. Then go on from the last verified checkpoint.",
)
# What torch (CUDA, ROCm, MPS, CPU), cuBLAS and Python itself say.
_SAYS = re.compile(
    r"out of memory|OutOfMemoryError|can't allocate memory|not enough memory|"
    r"(ALLOC_FAILED|CUBLAS_STATUS_NOT_INITIALIZED)|\bMemoryError\b|Cannot allocate memory",
    re.IGNORECASE,
)
_SIZE = re.compile(r"[Tt]ried to allocate ([\d.]+ ?[KMGT]?i?B|\d+ bytes)")
_CAPACITY = re.compile(r"total capacity of ([\d.]+ ?[KMGT]?i?B)")
SIGKILL = 9
MOST_SHOWN = 200


def inspect(expected: TrainingLimits, actual: TrainingSeries) -> Iterator[Finding]:  # noqa: ARG001
    """Read how the training ended."""
    failure = actual.failure
    if failure is None:
        return
    if said := _SAYS.search(failure.message):
        yield _found(
            Severity.ERROR, f"out of memory {_where(failure)}: {_line(failure, said.start())}", failure
        )
    elif failure.signal == SIGKILL:
        yield _found(
            Severity.WARNING, f"killed by signal 9 {_where(failure)}, perhaps for its memory", failure
        )


def _found(severity: Severity, says: str, failure: TrainingFailure) -> Finding:
    sizes = {"tried": _SIZE.search(failure.message), "capacity": _CAPACITY.search(failure.message)}
    return Finding(
        CODE,
        severity,
        says,
        measured=failure.step,
        evidence={
            "step": failure.step,
            "signal": failure.signal,
            **{name: found[1] for name, found in sizes.items() if found},
        },
    )


def _where(failure: TrainingFailure) -> str:
    return "at a step that nobody saw" if failure.step is None else f"at step {failure.step:,}"


def _line(failure: TrainingFailure, place: int) -> str:
    """The line of the message that says so: a traceback has many."""
    start = failure.message.rfind("\n", 0, place) + 1
    line = failure.message[start:].splitlines()[0].strip()
    return line if len(line) <= MOST_SHOWN else f"{line[: MOST_SHOWN - 3]}..."
