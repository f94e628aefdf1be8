import pytest

from guards.preflight import insufficient_memory
from ledger.evidence.training import DeviceMemory, MemoryNeed
from ledger.findings import Severity

GB = 10**9
NEED = MemoryNeed({"weights": 3 * GB, "gradients": 3 * GB, "optimizer": 6 * GB}, "738M parameters")


@pytest.mark.parametrize(
    ("free", "fits"), [(12 * GB, True), (12 * GB - 1, False), (80 * GB, True), (0, False)]
)
def test_the_free_bytes_decide(free, fits):
    found = list(insufficient_memory.inspect(NEED, DeviceMemory("a GPU", 80 * GB, free)))
    assert [finding.severity for finding in found] == ([] if fits else [Severity.ERROR])


def test_the_message_lists_what_the_memory_is_for():
    (finding,) = insufficient_memory.inspect(NEED, DeviceMemory("NVIDIA T4", 16 * GB, 10 * GB))
    assert finding.message == (
        "training needs at least 12.0 GB (weights 3.0 GB, gradients 3.0 GB, optimizer 6.0 GB; 738M "
        "parameters), and NVIDIA T4 has 10.0 GB free (6.0 GB of its 16.0 GB are in use); "
        "activations come on top"
    )
