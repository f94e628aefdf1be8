"""JRN003: an entry stands in its journal once."""

from collections.abc import Iterator

from guards.guard import Explanation
from guards.journal.formatting import bad_lines
from ledger.evidence.journal import JournalHeads, JournalLine, JournalLines
from ledger.findings import Finding, Severity

CODE = "JRN003"
TITLE = "entry duplicated"
READS = (JournalHeads, JournalLines)
EXPLANATION = Explanation(
    means="The same line stands in the journal more than once. It is a note where a git merge did it: both "
    "sides had the line, by a cherry-pick or a squash.",
    matters="A result that is listed twice looks like one that was obtained twice.",
    do="Delete the later copy: the two lines are equal, so nothing is lost. A merge by hand is the usual "
    "cause; with experiments/ledger.jsonl merge=union in .gitattributes git merges by itself.",
)


def inspect(expected: JournalHeads, actual: JournalLines) -> Iterator[Finding]:
    """Yield one finding for all second and later copies, and one for those that git made."""
    first: dict[str, int] = {}
    copies: list[JournalLine] = []
    for line in actual.lines:
        if line.id and first.setdefault(line.id, line.number) != line.number:
            copies.append(line)
    for by_merge, severity, why in ((False, Severity.ERROR, ""), (True, Severity.INFO, ": a merge did it")):
        part = [line for line in copies if (line.id in expected.merged_twice) is by_merge]
        if part:
            original = first[part[0].id]
            message = f"line {part[0].number} repeats line {original} (entry {part[0].id[:19]}…){why}"
            yield bad_lines(CODE, part, message, severity, first=original)
