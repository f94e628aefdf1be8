"""ENV003: a package that the worker imports is not the same on both sides."""

from collections.abc import Iterator

from guards.environment.formatting import finding_of
from guards.guard import Explanation
from ledger.environments.diff.ranking import packages
from ledger.evidence.environment import EnvironmentSide
from ledger.findings import Finding, Skip

CODE = "ENV003"
TITLE = "packages that the worker imports differ"
READS = (EnvironmentSide, EnvironmentSide)
EXPLANATION = Explanation(
    means="Two environments were compared, and a distribution that the worker really imported has another "
    "version, build, origin or files in one than in the other, or is in one alone. Where neither side says "
    "what was imported, every distribution that both name counts.",
    matters="It is code that ran, and it is not the same code. Which of several decides the result, the list "
    "does not say: it is ranked by what usually matters, and a difference is a suspect, not a cause.",
    do="Look at the first ones; `ledger diff-env A B --effective` shows the defaults that changed with them, "
    "`--bisect` which of them decides. Pin the version that you want in the lockfile.",
)


def inspect(expected: EnvironmentSide, actual: EnvironmentSide) -> Iterator[Finding | Skip]:
    """One finding for all of them, the most suspicious named."""
    for side in (expected, actual):
        if side.packages is None:
            yield Skip(CODE, side.why_unknown("packages"))
            return
    yield from finding_of(CODE, "packages that the worker imports", packages(expected, actual))
