"""JRN004: an entry comes before one of its parents."""

from collections.abc import Iterator

from guards.guard import Explanation
from guards.journal.formatting import bad_lines
from ledger.evidence.journal import JournalHeads, JournalLine, JournalLines
from ledger.findings import Finding

CODE = "JRN004"
TITLE = "entry out of order"
READS = (JournalHeads, JournalLines)
EXPLANATION = Explanation(
    means="A line comes before one of its parents, the entries that it names as older.",
    matters="The order of the journal shows which result was known when; a moved line falsifies it.",
    do="Move the line back behind the one that the finding names. git log -p experiments/ledger.jsonl shows "
    "who moved it.",
)


def inspect(_expected: JournalHeads, actual: JournalLines) -> Iterator[Finding]:
    """Yield one finding for all lines that come before one of their parents."""
    place = {line.id: line.number for line in reversed(actual.lines)}
    moved = [line for line in actual.lines if _parent_after(line, place)]
    if moved:
        parent = _parent_after(moved[0], place)
        message = f"line {moved[0].number} comes before line {parent}, which it names as older"
        yield bad_lines(CODE, moved, message, parent_line=parent)


def _parent_after(line: JournalLine, place: dict[str, int]) -> int | None:
    return next((place[one] for one in line.parents if place.get(one, 0) >= line.number), None)
