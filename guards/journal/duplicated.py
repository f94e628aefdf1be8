"""JRN003: the same entry is in the journal more than once."""

from collections.abc import Iterator

from guards.guard import Explanation
from guards.journal.formatting import bad_lines
from ledger.evidence.journal import JournalHeads, JournalLine, JournalLines
from ledger.findings import Finding, Severity

CODE = "JRN003"
TITLE = "entry duplicated"
READS = (JournalHeads, JournalLines)
EXPLANATION = Explanation(
    means="The same line is in the journal more than once. It is a note if a git merge caused it: both "
    "sides had the line, because of a cherry-pick or a squash.",
    matters="A result that is listed twice looks as if it had been obtained twice.",
    do="Delete the later copy: the two lines are equal, so nothing is lost. The usual cause is a manual "
    "merge; with experiments/ledger.jsonl merge=union in .gitattributes git merges the file itself.",
)


def inspect(expected: JournalHeads, actual: JournalLines) -> Iterator[Finding]:
    """Yield one finding for the copies that git made in a merge, and one for all others."""
    first: dict[str, int] = {}
    copies: list[JournalLine] = []
    for line in actual.lines:
        if line.id and first.setdefault(line.id, line.number) != line.number:
            copies.append(line)
    by_hand = Severity.WARNING if expected.unread else Severity.ERROR  # a merge may have done it
    for by_merge, severity, cause in (
        (False, by_hand, ""),
        (True, Severity.INFO, ", caused by a merge"),
    ):
        part = [line for line in copies if (line.id in expected.merged_twice) is by_merge]
        if part:
            original = first[part[0].id]
            message = f"line {part[0].number} repeats line {original} (entry {part[0].id[:19]}…){cause}"
            yield bad_lines(CODE, part, message, severity, first=original)
