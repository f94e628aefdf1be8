"""JRN007: a line of the base's journal is missing or altered; the order of the lines may change."""

from collections.abc import Iterator

from guards.guard import Explanation
from guards.journal.formatting import SHOWN
from ledger.evidence.gate import JournalText
from ledger.findings import Finding, Severity
from ledger.journal.store import Entry, parse, spans
from ledger.utils.plural import besides_first

CODE = "JRN007"
TITLE = "an entry of the base is missing or altered"
READS = (JournalText, JournalText)
EXPLANATION = Explanation(
    means="A line of the base branch's journal is not in this branch's journal, byte for byte. The order of "
    "the lines does not matter: a merge may interleave the two sides.",
    matters="Merging this branch would remove or change a recorded result for everybody, and the merged "
    "journal could still be consistent.",
    do="Restore the base's lines and keep your own: git diff BASE -- experiments/ledger.jsonl shows them as "
    "removed. A wrong result stays in the journal, next to a newer run. With experiments/ledger.jsonl "
    "merge=union in .gitattributes a merge loses no lines.",
)


def inspect(expected: JournalText, actual: JournalText) -> Iterator[Finding]:
    """Yield one finding for the altered lines and one for the missing lines."""
    if actual.data.startswith(expected.data) and (not expected.data or expected.data.endswith(b"\n")):
        return  # the usual case: lines were only appended
    present = {actual.data[start:end] for start, end in spans(actual.data)}
    lost = [
        (number, expected.data[start:end])
        for number, (start, end) in enumerate(spans(expected.data), 1)
        if expected.data[start:end] not in present
    ]
    if not lost:
        return
    ids = {entry.id for line in present if (entry := parse(line))}
    for is_altered in (True, False):
        part = [(number, parse(line)) for number, line in lost if _is_here(line, ids) is is_altered]
        if part:
            yield _finding(part, expected.where, "was altered" if is_altered else "is missing")


def _is_here(line: bytes, ids: set[str]) -> bool:
    entry = parse(line)
    return entry is not None and entry.id in ids


def _finding(part: list[tuple[int, Entry | None]], where: str, what: str) -> Finding:
    number, entry = part[0]
    named = f"entry {entry.id[:19]}… ({entry.kind} of {entry.time[:10]})" if entry else "an invalid entry"
    return Finding(
        CODE,
        Severity.ERROR,
        f"{named}, line {number} in {where}, {what}{besides_first(part)}",
        measured=len(part),
        threshold=0,
        evidence={"lines": [line for line, _ in part[:SHOWN]], "ids": [e.id for _, e in part[:SHOWN] if e]},
    )
