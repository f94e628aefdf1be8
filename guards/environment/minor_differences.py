"""ENV006: what differs and can hardly matter: packages that nobody imported, facts of a rented host."""

from collections.abc import Iterator

from guards.environment.formatting import named
from guards.guard import Explanation
from ledger.environments.diff.ranking import suspects
from ledger.evidence.environment import EnvironmentSide
from ledger.findings import Finding, Severity

CODE = "ENV006"
TITLE = "the environments differ where it hardly matters"
READS = (EnvironmentSide, EnvironmentSide)
EXPLANATION = Explanation(
    means="Packages that the worker did not import, Python's patch release, the C library, the CPU's vector "
    "level or a variable such as OMP_NUM_THREADS differ.",
    matters="None of it is held still by a lockfile. The last bits of a result can depend on the CPU, on "
    "the libraries below and on the number of threads; text and scores rarely do.",
    do="Nothing, as a rule. Where bits have to be equal, set the same variables on the same kind of machine.",
)


def inspect(expected: EnvironmentSide, actual: EnvironmentSide) -> Iterator[Finding]:
    """A note that counts them."""
    found = [one for one in suspects(expected, actual) if not one.hard]
    if found:
        facts = {"differences": [one.to_json() for one in found]}
        message = f"{len(found)} differences that hardly matter: {named(found)}"
        yield Finding(CODE, Severity.INFO, message, measured=len(found), threshold=0, evidence=facts)
