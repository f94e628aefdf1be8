"""JRN003: an entry stands in its journal once."""

from collections.abc import Iterator

from guards.guard import Explanation
from guards.journal.listing import bad_lines
from ledger.evidence import JournalHeads, JournalLine, JournalLines
from ledger.findings import Finding

CODE = "JRN003"
TITLE = "entry duplicated"
READS = "journal"
EXPLANATION = Explanation(
    means="The same line stands in the journal more than once.",
    matters="A result that is listed twice looks like one that was obtained twice.",
    do="Delete the later copy: the two lines are equal, so nothing is lost. A merge by hand is the usual "
    "cause; with experiments/ledger.jsonl merge=union in .gitattributes git merges by itself.",
)


def inspect(_expected: JournalHeads, actual: JournalLines) -> Iterator[Finding]:
    """Yield one finding for all second and later copies."""
    first: dict[str, int] = {}
    copies: list[JournalLine] = []
    for line in actual.lines:
        if line.id and first.setdefault(line.id, line.number) != line.number:
            copies.append(line)
    if copies:
        original = first[copies[0].id]
        message = f"line {copies[0].number} repeats line {original} (entry {copies[0].id[:19]}…)"
        yield bad_lines(CODE, copies, message, first=original)
