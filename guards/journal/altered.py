"""JRN001: an entry's id is the digest of its content; where they differ, one of them was changed."""

from collections.abc import Iterator

from guards.guard import Explanation
from guards.journal.formatting import bad_lines
from ledger.evidence.journal import JournalHeads, JournalLine, JournalLines
from ledger.findings import Finding

CODE = "JRN001"
TITLE = "entry altered"
READS = (JournalHeads, JournalLines)
EXPLANATION = Explanation(
    means="A line of the journal no longer has the SHA-256 that it was written under, or is the same content "
    "written in another way (other spacing, key order or line ends).",
    matters="A number that somebody edited, by hand or by a search-and-replace, looks like a measured one.",
    do="See what changed with: git log -p experiments/ledger.jsonl. Put the line back as it was "
    "(git checkout COMMIT -- experiments/ledger.jsonl). To correct a result, run it again: entries stay.",
)


def inspect(_expected: JournalHeads, actual: JournalLines) -> Iterator[Finding]:
    """Yield one finding for all altered lines, the first one named."""
    altered = [line for line in actual.lines if line.id and (line.digest != line.id or not line.canonical)]
    if altered:
        yield bad_lines(CODE, altered, f"line {altered[0].number}: {_what(altered[0])}")


def _what(line: JournalLine) -> str:
    if line.digest != line.id:
        return f"the content of entry {line.id[:19]}… was changed: it now amounts to {line.digest[:19]}…"
    return f"entry {line.id[:19]}… was written again in another way (spacing, key order or line ends)"
