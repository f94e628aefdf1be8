"""CLM008: one number is given to two experiments."""

from collections.abc import Iterator
from itertools import combinations

from guards.claims.formatting import contradiction
from guards.guard import Explanation
from ledger.evidence.imported_claims import Consistency, Naming, WrittenLog, name_different_things
from ledger.findings import Finding

CODE = "CLM008"
TITLE = "one number is used for two experiments"
READS = (Consistency, WrittenLog)
EXPLANATION = Explanation(
    means="Two headings give one number or name to experiments whose titles share no word, and of which one "
    "was only planned, or which state different models.",
    matters="A later `as in experiment 4` can mean either, and whoever looks for the planned one finds the "
    "other.",
    do="Number the experiments anew. With the ledger a name is a spec's file, and stands for one thing.",
)


def inspect(_expected: Consistency, actual: WrittenLog) -> Iterator[Finding]:
    """One finding for each number."""
    seen: set[str] = set()
    for a, b in combinations(actual.namings, 2):
        if a.experiment not in seen and name_different_things(a, b):
            seen.add(a.experiment)
            yield _finding(a, b)


def _finding(a: Naming, b: Naming) -> Finding:
    return contradiction(
        CODE,
        f"{a.experiment} is {_called(a)} and {_called(b)}",
        experiments=[a.experiment],
        lines=[a.line, b.line],
        measured=[a.title, b.title],
    )


def _called(one: Naming) -> str:
    return f"“{one.title}” ({'planned, ' if one.planned else ''}line {one.line})"
