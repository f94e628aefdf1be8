"""JRN005: the journal ends with a finished line."""

from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.journal import JournalHeads, JournalLines, TornTail
from ledger.findings import Finding, Severity

CODE = "JRN005"
TITLE = "torn tail"
READS = (JournalHeads, JournalLines)
EXPLANATION = Explanation(
    means="The last line is unfinished: a process was killed, or the power failed, while it appended. It is "
    "an error where the line does end with a newline, for then it was whole once.",
    matters="That entry was never confirmed to anyone; all others are whole. Left alone, it would swallow "
    "the next one.",
    do="Nothing: the next append sets it aside under .ledger/torn/ and says so. If the finding is an error, "
    "look for the whole line in git, or run the experiment again with --resume.",
)


def inspect(_expected: JournalHeads, actual: JournalLines) -> Iterator[Finding]:
    """Yield a finding for what follows the last complete line."""
    tail = actual.torn_tail
    if tail is not None:
        severity = Severity.ERROR if tail.ended else Severity.WARNING
        evidence = {"line": tail.number, "bytes": tail.size_bytes}
        yield Finding(
            CODE, severity, _message(tail), measured=tail.size_bytes, threshold=0, evidence=evidence
        )


def _message(tail: TornTail) -> str:
    if tail.whole:
        return f"line {tail.number} lacks only its newline; the next append adds it"
    if tail.ended:
        return f"line {tail.number}, the last, is not JSON ({tail.size_bytes} bytes): it was changed or cut"
    return f"line {tail.number} was cut after {tail.size_bytes} bytes; the next append sets it aside"
