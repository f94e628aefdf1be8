"""JRN007: every line of the base's journal is still there, in whatever order a merge left them."""

from collections.abc import Iterator

from guards.guard import Explanation
from guards.journal.formatting import SHOWN
from ledger.evidence.gate import JournalText
from ledger.findings import Finding, Severity
from ledger.journal.store import Entry, parse, spans

CODE = "JRN007"
TITLE = "an entry of the base is gone or altered"
READS = (JournalText, JournalText)
EXPLANATION = Explanation(
    means="A line that stands in the journal of the base branch is not in this one, byte for byte. The order "
    "of the lines does not matter: a merge may interleave two sides.",
    matters="A merge of this branch would take a recorded result away from everybody, or change it, and the "
    "journal can look whole in itself afterwards.",
    do="Take the base's lines back and keep your own: git diff BASE -- experiments/ledger.jsonl shows them "
    "as removed. A result that was wrong stays, and a newer run stands beside it. With "
    "experiments/ledger.jsonl merge=union in .gitattributes a merge loses none.",
)


def inspect(expected: JournalText, actual: JournalText) -> Iterator[Finding]:
    """Yield one finding for the altered lines and one for those that are gone."""
    if actual.data.startswith(expected.data) and (not expected.data or expected.data.endswith(b"\n")):
        return  # the usual case: it only grew at its end
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
            yield _finding(part, expected.where, "was altered" if is_altered else "is gone")


def _is_here(line: bytes, ids: set[str]) -> bool:
    entry = parse(line)
    return entry is not None and entry.id in ids


def _finding(part: list[tuple[int, Entry | None]], where: str, what: str) -> Finding:
    number, entry = part[0]
    named = f"{entry.id[:19]}… ({entry.kind} of {entry.time[:10]})" if entry else "that stands there"
    more = f" (and {len(part) - 1} more)" if len(part) > 1 else ""
    return Finding(
        CODE,
        Severity.ERROR,
        f"the entry {named}, line {number} in {where}, {what}{more}",
        measured=len(part),
        threshold=0,
        evidence={"lines": [line for line, _ in part[:SHOWN]], "ids": [e.id for _, e in part[:SHOWN] if e]},
    )
