"""JRN005: the last line of the journal is incomplete."""

from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.journal import JournalHeads, JournalLines, TornTail
from ledger.findings import Finding, Severity
from ledger.utils.plural import count

CODE = "JRN005"
TITLE = "torn tail"
READS = (JournalHeads, JournalLines)
EXPLANATION = Explanation(
    means="The last line is incomplete: a process was killed, or the power failed, while it was written. It "
    "is an error if the line ends with a newline, because then it was complete once.",
    matters="No command has reported that entry as written; all others are complete. If the fragment "
    "stayed, the next entry would be appended to it and become unreadable.",
    do="Nothing: the next append moves it to .ledger/torn/ and reports that. If the finding is an error, "
    "look for the complete line in git, or run the experiment again with --resume.",
)


def inspect(_expected: JournalHeads, actual: JournalLines) -> Iterator[Finding]:
    """Yield a finding for the bytes after the last complete line."""
    tail = actual.torn_tail
    if tail is not None:
        severity = Severity.ERROR if tail.ended else Severity.WARNING
        evidence = {"line": tail.number, "bytes": tail.size_bytes}
        yield Finding(
            CODE, severity, _message(tail), measured=tail.size_bytes, threshold=0, evidence=evidence
        )


def _message(tail: TornTail) -> str:
    if tail.whole:
        return f"line {tail.number} lacks only its newline, which the next append adds"
    size = count(tail.size_bytes, "byte")
    if tail.ended:
        return f"line {tail.number}, the last, is not JSON ({size}): it was changed or cut"
    return f"line {tail.number} was cut after {size}; the next append moves it to .ledger/torn/"
