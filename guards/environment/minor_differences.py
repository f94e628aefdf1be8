"""ENV006: differences that rarely matter: packages that were not imported, facts of a rented host."""

from collections.abc import Iterator

from guards.environment.formatting import differ
from guards.guard import Explanation
from ledger.environments.diff.ranking import suspects
from ledger.evidence.environment import EnvironmentSide
from ledger.findings import Finding, Severity
from ledger.utils.plural import count

CODE = "ENV006"
TITLE = "the environments differ in minor ways"
READS = (EnvironmentSide, EnvironmentSide)
EXPLANATION = Explanation(
    means="Packages that the worker did not import, Python's patch release, the C library, the CPU's vector "
    "level or a variable such as OMP_NUM_THREADS differ.",
    matters="A lockfile fixes none of this. The last bits of a result can depend on the CPU, on system "
    "libraries and on the number of threads; text and scores rarely do.",
    do="Usually nothing. If results have to be bit-identical, use the same variables and kind of machine.",
)


def inspect(expected: EnvironmentSide, actual: EnvironmentSide) -> Iterator[Finding]:
    """A note with the number of minor differences and the first few of them."""
    minor = [suspect for suspect in suspects(expected, actual) if not suspect.hard]
    if minor:
        yield differ(CODE, Severity.INFO, count(len(minor), "minor difference"), minor)
