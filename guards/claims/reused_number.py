"""CLM008: two experiments have the same number."""

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
    means="Two headings have the same number or name, their titles have no word in common, and either only "
    "one of them is planned or they name different models.",
    matters="A later `as in experiment 4` is ambiguous, and a search for the planned experiment finds the "
    "other.",
    do="Renumber the experiments. In the ledger a name is the file name of a spec, and therefore unique.",
)


def inspect(_expected: Consistency, actual: WrittenLog) -> Iterator[Finding]:
    """One finding for each number."""
    reported: set[str] = set()
    for a, b in combinations(actual.namings, 2):
        if a.experiment not in reported and name_different_things(a, b):
            reported.add(a.experiment)
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
