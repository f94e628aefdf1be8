"""ENV004: Python, torch's build, CUDA or the platform differs between the two sides."""

from collections.abc import Iterator
from itertools import chain

from guards.environment.formatting import inspect_part
from guards.guard import Explanation
from ledger.environments.diff.ranking import cuda, machine, python
from ledger.evidence.environment import EnvironmentSide
from ledger.evidence.suspects import Suspect
from ledger.findings import Finding, Skip

CODE = "ENV004"
TITLE = "Python, CUDA or the platform differs"
READS = (EnvironmentSide, EnvironmentSide)
EXPLANATION = Explanation(
    means="The two sides differ in Python (major or minor version), in the build of torch, in CUDA or cuDNN "
    "packages, or in the platform.",
    matters="Kernels differ between builds and between devices, usually in the last bits and sometimes in "
    "more, so results cannot be expected to be bit-identical.",
    do="Compare on one kind of machine if exact equality matters; otherwise compare scores.",
)


def inspect(expected: EnvironmentSide, actual: EnvironmentSide) -> Iterator[Finding | Skip]:
    """One finding for all differences; a skip if a side knows none of these facts."""
    yield from inspect_part(CODE, "interpreter and platform", "machine", _differences, (expected, actual))


def _differences(before: EnvironmentSide, after: EnvironmentSide) -> Iterator[Suspect]:
    return chain(python(before, after), cuda(before, after), machine(before, after))
