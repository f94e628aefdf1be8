"""JRN002: an entry is missing that another entry names, or that was the newest one before."""

from collections.abc import Iterator

from guards.guard import Explanation
from guards.journal.formatting import SHOWN, bad_lines
from ledger.evidence.journal import JournalHeads, JournalLine, JournalLines
from ledger.findings import Finding, Severity, Skip
from ledger.utils.plural import besides_first

CODE = "JRN002"
TITLE = "entry missing"
READS = (JournalHeads, JournalLines)
EXPLANATION = Explanation(
    means="An entry is missing: a later one names it, or it was the newest one when this branch was last "
    "written to, or in a commit of its history. It is a note instead of an error if the entry is on another "
    "branch and never was on this one.",
    matters="A journal from which recorded results disappear ends up showing only the good runs.",
    do="Find the line with: git log -S ID -- experiments/ledger.jsonl, and restore it, or merge the branch "
    "that has it. If you dropped a branch on purpose, delete the file under .ledger/heads/ that the finding "
    "names. Where git cannot read the repository, `git status` says what to do: in a container, where its "
    "owner is another user, git config --global --add safe.directory PATH.",
)


def inspect(expected: JournalHeads, actual: JournalLines) -> Iterator[Finding | Skip]:
    """One finding for missing parents of lines here, one for missing newest entries; a skip without git."""
    present = {line.id for line in actual.lines}
    orphans = [line for line in actual.lines if any(parent not in present for parent in line.parents)]
    for lost_here in (True, False):
        part = [line for line in orphans if _is_lost(line, present, expected) is lost_here]
        if part:
            yield _orphaned(part, present, lost_here)
    named = {parent for line in actual.lines for parent in line.parents}
    yield from _lost_heads(expected, present | named, len(actual.lines))
    if expected.unread:
        yield Skip(CODE, f"what was committed is not known: {expected.unread}", required=True)


def _is_lost(line: JournalLine, present: set[str], expected: JournalHeads) -> bool:
    return any(parent not in present and parent not in expected.elsewhere for parent in line.parents)


def _orphaned(lines: list[JournalLine], present: set[str], lost_here: bool) -> Finding:
    parent = next(parent for parent in lines[0].parents if parent not in present)
    where = "which is not in the journal" if lost_here else "which is on another branch"
    message = f"line {lines[0].number} was written after entry {parent[:19]}…, {where}"
    severity = Severity.ERROR if lost_here else Severity.INFO
    return bad_lines(CODE, lines, message, severity, missing=parent)


def _lost_heads(expected: JournalHeads, present: set[str], count: int) -> Iterator[Finding]:
    absent = [head for head in expected.ids if head not in present]
    for head in absent:
        if (ref := expected.elsewhere.get(head)) is not None:
            message = f"entry {head[:19]}… is on {ref} and not on this branch: nothing is lost"
            yield Finding(CODE, Severity.INFO, message, evidence={"missing": head, "ref": ref})
    lost = [head for head in absent if head not in expected.elsewhere]
    if lost:
        message = f"entry {lost[0][:19]}… is missing: {expected.ids[lost[0]]}{besides_first(lost)}"
        evidence = {"line": count + 1, "missing": lost[0], "ids": lost[:SHOWN]}
        yield Finding(CODE, Severity.ERROR, message, measured=len(lost), threshold=0, evidence=evidence)
