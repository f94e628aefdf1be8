"""JRN006: a line of the journal is not an entry."""

from collections.abc import Iterator

from guards.guard import Explanation
from guards.journal.formatting import bad_lines
from ledger.evidence.journal import JournalHeads, JournalLines
from ledger.findings import Finding

CODE = "JRN006"
TITLE = "line is not an entry"
READS = (JournalHeads, JournalLines)
EXPLANATION = Explanation(
    means="A line is not JSON, or not an object with the six members of an entry.",
    matters="The entry cannot be read any more, and ledger log does not guess.",
    do="If the line is a conflict marker of a manual merge, delete it and keep the lines of both sides. "
    "Otherwise restore the line from git (git log -p experiments/ledger.jsonl).",
)


def inspect(_expected: JournalHeads, actual: JournalLines) -> Iterator[Finding]:
    """Yield one finding for all lines that are not entries."""
    invalid = [line for line in actual.lines if line.problem]
    if invalid:
        message = f"line {invalid[0].number} is not an entry ({invalid[0].problem})"
        yield bad_lines(CODE, invalid, message)
