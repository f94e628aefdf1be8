"""CLM001: one key has two values in one experiment."""

from collections.abc import Iterator

from guards.claims.formatting import at, contradiction, shown
from guards.claims.values import by_key, misplaced, same
from guards.guard import Explanation
from ledger.evidence.imported_claims import Consistency, Statement, WrittenLog
from ledger.findings import Finding

CODE = "CLM001"
TITLE = "one key has two values in one experiment"
READS = (Consistency, WrittenLog)
EXPLANATION = Explanation(
    means="The log states a setting or a rate of one experiment twice, with different values. Attempts and "
    "configurations that have their own headings or labels may differ; percentages are compared to the "
    "precision in which they are written.",
    matters="Anybody who repeats the experiment has to guess which value was used, and every comparison with "
    "it depends on that guess.",
    do="Read both lines, and check what is left of the run: its script, its shell history, its output. "
    "Correct the log and import it again.",
)
# Free text, and values that may be stated in two ways without a contradiction.
NOT_COMPARED = ("time", "verdict")


def inspect(_expected: Consistency, actual: WrittenLog) -> Iterator[Finding]:
    """One finding for each key of an experiment that has more than one value."""
    elsewhere = {id(cell) for cell, _, _ in misplaced(actual)}
    stated = [
        one
        for one in actual.statements
        if one.kind in ("setting", "rate") and one.key not in NOT_COMPARED and id(one) not in elsewhere
    ]
    for (experiment, scope, key), group in by_key(stated).items():
        values: list[Statement] = []
        for one in group:
            if one.value is not None and not any(same(one, other) for other in values):
                values.append(one)
        if len(values) > 1:
            yield _finding(experiment, scope, key, values, group)


def _finding(
    experiment: str, scope: str, key: str, values: list[Statement], group: list[Statement]
) -> Finding:
    parts = []
    for value in values:
        lines = [one.line for one in group if one.value is not None and same(one, value)]
        parts.append(f"{shown(value.value, rate=value.kind == 'rate')} ({at(lines)})")
    where = f" ({scope})" if scope else ""
    return contradiction(
        CODE,
        f"{experiment}{where}: {key} is {' and '.join(parts)}",
        experiments=[experiment],
        lines=[one.line for one in group],
        measured=[value.value for value in values],
    )
