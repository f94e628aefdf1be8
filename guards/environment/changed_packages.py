"""ENV003: a package that the worker imports differs between the two sides."""

from collections.abc import Iterator

from guards.environment.formatting import MOST_NAMED, inspect_part
from guards.guard import Explanation
from ledger.environments.diff.ranking import packages
from ledger.evidence.environment import EnvironmentSide
from ledger.findings import Finding, Skip

CODE = "ENV003"
TITLE = "packages that the worker imports differ"
READS = (EnvironmentSide, EnvironmentSide)
EXPLANATION = Explanation(
    means="Two environments were compared, and a distribution that the worker imported has another version, "
    "build, origin or content in one than in the other, or is in only one of them. If neither side records "
    "its imports, every distribution that both name counts. Lines of a list that are not understood are "
    "named, and without another difference the comparison is not conclusive.",
    matters="Different code ran on the two sides. The list does not say which difference decides the result: "
    "it is ranked by what usually matters, and a difference is a suspect, not a cause.",
    do="Start with the first ones; `ledger diff-env A B --effective` shows the defaults that changed with "
    "them, and `--bisect` finds the one that decides. Pin the version that you want in the lockfile.",
)


def inspect(expected: EnvironmentSide, actual: EnvironmentSide) -> Iterator[Finding | Skip]:
    """One finding for all differences, the most suspicious by name; a skip for what a side does not show."""
    where = "packages that the worker imports"
    yield from inspect_part(CODE, where, "packages", packages, (expected, actual))
    for side in (expected, actual):
        if side.unread:
            more = f"; and {len(side.unread) - MOST_NAMED} more" if len(side.unread) > MOST_NAMED else ""
            yield Skip(CODE, f"{side.name}, {'; '.join(side.unread[:MOST_NAMED])}{more}", required=True)
