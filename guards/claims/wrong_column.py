"""CLM009: a table's value stands elsewhere for another quantity."""

from collections.abc import Iterator

from guards.claims.formatting import contradiction, shown
from guards.claims.values import misplaced
from guards.guard import Explanation
from ledger.evidence.imported_claims import Consistency, WrittenLog
from ledger.findings import Finding

CODE = "CLM009"
TITLE = "a column holds the value of another quantity"
READS = (Consistency, WrittenLog)
EXPLANATION = Explanation(
    means="A table states a share of an experiment's lines under one heading; elsewhere the log states "
    "another value for that quantity, and this very value for another quantity of the same "
    "experiment.",
    matters="The rows of the table do not compare the same thing, and its ranking means nothing.",
    do="Put the right value into the column, or name the column for what it holds.",
)


def inspect(_expected: Consistency, actual: WrittenLog) -> Iterator[Finding]:
    """One finding for each such cell."""
    for cell, own, twin in misplaced(actual):
        value = shown(cell.value, rate=True)
        yield contradiction(
            CODE,
            f"{cell.experiment}: the column “{cell.column}” has {value} (line {cell.line}), which is its "
            f"rate of {twin.key} (line {twin.line}); its rate of {own.key} is {shown(own.value, rate=True)} "
            f"(line {own.line})",
            experiments=[cell.experiment],
            lines=[cell.line, own.line, twin.line],
            measured=cell.value,
            threshold=own.value,
        )
