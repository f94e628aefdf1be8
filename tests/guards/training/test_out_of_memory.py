"""How a training ended: its memory, and the scale of mixed precision."""

import pytest

from guards.training import amp_scale_collapse, out_of_memory
from ledger.evidence.training import TrainingFailure, TrainingLimits, TrainingPoint, TrainingSeries
from ledger.findings import Severity

CUDA = (
    "Traceback (most recent call last):\n  File train.py\n"
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.93 GiB. GPU 0 has a total capacity of "
    "23.65 GiB of which 1.10 GiB is free.\n"
)
SAYS = [
    CUDA,
    "RuntimeError: [enforce fail at alloc_cpu.cpp:121] . DefaultCPUAllocator: can't allocate memory: you "
    "tried to allocate 4000000000000 bytes.",
    "RuntimeError: MPS backend out of memory (MPS allocated: 18.06 GB)",
    "RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    "torch.cuda.OutOfMemoryError: HIP out of memory. Tried to allocate 20.00 MiB",
    "MemoryError",
]


def look(failure):
    return list(out_of_memory.inspect(TrainingLimits(), TrainingSeries(failure=failure)))


@pytest.mark.parametrize("message", SAYS)
def test_an_allocation_that_failed_is_an_error(message):
    (finding,) = look(TrainingFailure(message, step=784))
    assert finding.severity is Severity.ERROR
    assert finding.message.startswith("out of memory at step 784: ")


def test_the_sizes_and_the_line_of_the_error_are_reported():
    (finding,) = look(TrainingFailure(CUDA, step=784))
    assert "train.py" not in finding.message
    assert finding.evidence == {"step": 784, "signal": None, "tried": "2.93 GiB", "capacity": "23.65 GiB"}


@pytest.mark.parametrize("message", ["KeyError: 'labels'", "RuntimeError: the memory of a goldfish", ""])
def test_another_failure_is_not(message):
    assert look(TrainingFailure(message, step=3)) == []


def test_a_killed_process_may_have_been():
    (finding,) = look(TrainingFailure("", step=None, signal=9))
    assert finding.severity is Severity.WARNING
    assert finding.message == "killed by signal 9 at an unknown step, perhaps for lack of memory"


def test_another_signal_is_not():
    assert look(TrainingFailure("", signal=15)) == []


def test_a_training_that_ended_well_passes():
    assert look(None) == []


def test_the_real_message_of_torch_is_known():
    torch = pytest.importorskip("torch")
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**55)
    (finding,) = look(TrainingFailure(f"{type(caught.value).__name__}: {caught.value}", step=1))
    assert finding.severity is Severity.ERROR


@pytest.mark.parametrize(
    ("scales", "first"),
    [
        ([65536.0, 32768.0, 1.0], None),
        ([65536.0, 65536.0 * 8], None),
        ([65536.0, 1.0, 0.5, 0.25, 1.0], 3),
        ([0.0], 1),
        ([65536.0, float("nan")], 2),
    ],
)
def test_the_scale_of_mixed_precision(scales, first):
    points = tuple(TrainingPoint(step, amp_scale=scale) for step, scale in enumerate(scales, start=1))
    found = list(amp_scale_collapse.inspect(TrainingLimits(), TrainingSeries(points)))
    assert [finding.evidence["first_step"] for finding in found] == ([first] if first else [])
