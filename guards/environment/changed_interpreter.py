"""ENV004: Python, torch's build, CUDA or the platform is not the same on both sides."""

from collections.abc import Iterator
from itertools import chain

from guards.environment.formatting import finding_of
from guards.guard import Explanation
from ledger.environments.diff.ranking import cuda, machine, python
from ledger.evidence.environment import EnvironmentSide
from ledger.findings import Finding, Skip

CODE = "ENV004"
TITLE = "Python, CUDA or the platform differs"
READS = (EnvironmentSide, EnvironmentSide)
EXPLANATION = Explanation(
    means="The two sides have another Python (its first two numbers), another build of torch, other CUDA or "
    "cuDNN packages, or another platform.",
    matters="Kernels differ from build to build and from device to device, in the last bits as a rule and "
    "sometimes in more. A comparison across them can't be bit-identical.",
    do="Compare on one kind of machine where exact equality matters; otherwise judge by scores.",
)


def inspect(expected: EnvironmentSide, actual: EnvironmentSide) -> Iterator[Finding | Skip]:
    """One finding for all of them; a skip where a side tells none of it."""
    for side in (expected, actual):
        if side.python is None and side.torch is None and side.machine is None:
            yield Skip(CODE, side.why_unknown("machine"))
            return
    found = chain(python(expected, actual), cuda(expected, actual), machine(expected, actual))
    yield from finding_of(CODE, "facts of interpreter and platform", list(found))
