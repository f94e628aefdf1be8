"""CLM009: a value in a table is stated elsewhere for another quantity."""

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
    means="A table states a rate of an experiment in one column; elsewhere the log states a different value "
    "for that quantity, and the value of the table for another quantity of the same experiment.",
    matters="The rows of the table do not compare the same quantity, so its ranking is meaningless.",
    do="Put the correct value into the column, or rename the column.",
)


def inspect(_expected: Consistency, actual: WrittenLog) -> Iterator[Finding]:
    """One finding for each such cell."""
    for cell, own, other in misplaced(actual):
        value = shown(cell.value, rate=True)
        yield contradiction(
            CODE,
            f"{cell.experiment}: the column “{cell.column}” has {value} (line {cell.line}), which is its "
            f"rate of {other.key} (line {other.line}); its rate of {own.key} is "
            f"{shown(own.value, rate=True)} (line {own.line})",
            experiments=[cell.experiment],
            lines=[cell.line, own.line, other.line],
            measured=cell.value,
            threshold=own.value,
        )
