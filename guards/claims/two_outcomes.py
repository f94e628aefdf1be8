"""CLM007: one experiment has two outcomes."""

from collections.abc import Iterator

from guards.claims.formatting import at, contradiction
from guards.guard import Explanation
from ledger.evidence.imported_claims import Consistency, Outcome, Result, WrittenLog
from ledger.findings import Finding

CODE = "CLM007"
TITLE = "one experiment has two outcomes"
READS = (Consistency, WrittenLog)
EXPLANATION = Explanation(
    means="The log says of one experiment, or one attempt of it, both that it succeeded and that it failed; "
    "or both that it could not be run and that it ran to its end.",
    matters="Two runs are described as one, so it is unclear which settings, model and output belong to "
    "which.",
    do="Give each attempt its own heading in the log, and state what changed between them.",
)
_CLAUSES: dict[Outcome, str] = {
    "succeeded": "it succeeded",
    "failed": "it failed",
    "not run": "it could not be run",
    "completed": "it ran to its end",
}
_EXCLUDE: tuple[tuple[Outcome, Outcome], ...] = (
    ("not run", "completed"),
    ("not run", "succeeded"),
    ("succeeded", "failed"),
)


def inspect(_expected: Consistency, actual: WrittenLog) -> Iterator[Finding]:
    """One finding for each attempt with two stated outcomes that exclude each other."""
    attempts = dict.fromkeys((one.experiment, one.scope) for one in actual.results)
    for experiment, scope in attempts:
        results = [one for one in actual.results if (one.experiment, one.scope) == (experiment, scope)]
        for a, b in _EXCLUDE:
            first, second = ([one for one in results if one.outcome == outcome] for outcome in (a, b))
            if first and second:
                yield _finding(first, second)
                break


def _finding(first: list[Result], second: list[Result]) -> Finding:
    one, other = first[0], second[0]
    lines = [result.line for result in (*first, *second)]
    return contradiction(
        CODE,
        f"{one.experiment}: {_CLAUSES[one.outcome]} ({at(r.line for r in first)}: {one.text}), and "
        f"{_CLAUSES[other.outcome]} ({at(r.line for r in second)}: {other.text})",
        experiments=[one.experiment],
        lines=lines,
        measured=[one.outcome, other.outcome],
    )
