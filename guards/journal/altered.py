"""JRN001: an entry's id differs from the digest of its content, so one of them was changed."""

from collections.abc import Iterator

from guards.guard import Explanation
from guards.journal.formatting import bad_lines
from ledger.evidence.journal import JournalHeads, JournalLine, JournalLines
from ledger.findings import Finding

CODE = "JRN001"
TITLE = "entry altered"
READS = (JournalHeads, JournalLines)
EXPLANATION = Explanation(
    means="The content of a journal line no longer has the SHA-256 that is its id, or the line is not in the "
    "one form that the ledger writes (spacing, key order, line ends, numbers such as 1.0 for 1), or a member "
    "of it has a type that no ledger writes.",
    matters="A number that was edited, by hand or by search and replace, looks like a measured one.",
    do="See what changed with: git log -p experiments/ledger.jsonl. Restore the line (git checkout COMMIT "
    "-- experiments/ledger.jsonl). To correct a result, run the experiment again: entries are never changed.",
)


def inspect(_expected: JournalHeads, actual: JournalLines) -> Iterator[Finding]:
    """Yield one finding for all altered lines, which names the first."""
    altered = [line for line in actual.lines if line.id and _what(line)]
    if altered:
        yield bad_lines(CODE, altered, f"line {altered[0].number}: {_what(altered[0])}")


def _what(line: JournalLine) -> str:
    """What is wrong with the line; empty for a sound one."""
    if line.digest != line.id:
        return f"the content of entry {line.id[:19]}… was changed: its digest is now {line.digest[:19]}…"
    if not line.canonical:
        return f"entry {line.id[:19]}… was reformatted (spacing, key order, line ends or numbers)"
    return f"entry {line.id[:19]}…: {line.malformed}" if line.malformed else ""
