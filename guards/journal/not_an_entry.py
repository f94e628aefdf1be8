"""JRN006: every line of a journal is an entry."""

from collections.abc import Iterator

from guards.guard import Explanation
from guards.journal.formatting import bad_lines
from ledger.evidence.journal import JournalHeads, JournalLines
from ledger.findings import Finding

CODE = "JRN006"
TITLE = "line is not an entry"
READS = (JournalHeads, JournalLines)
EXPLANATION = Explanation(
    means="A line is not JSON, or not an object with an entry's six members.",
    matters="Whatever stood there cannot be read any more, and ledger log refuses to guess.",
    do="Conflict markers of a merge by hand: take them out and keep both sides' lines. Otherwise put the "
    "line back from git (git log -p experiments/ledger.jsonl).",
)


def inspect(_expected: JournalHeads, actual: JournalLines) -> Iterator[Finding]:
    """Yield one finding for all lines that are no entries."""
    strange = [line for line in actual.lines if line.problem]
    if strange:
        message = f"line {strange[0].number} is not an entry ({strange[0].problem})"
        yield bad_lines(CODE, strange, message)
