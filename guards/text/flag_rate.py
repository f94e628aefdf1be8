"""What all text guards share: a rate of flagged lines, held against the rate that is allowed."""

from collections.abc import Iterator
from dataclasses import asdict

from guards.text.limits import DEFAULT_MAX_RATE
from ledger.evidence.text import TextEvidence, TextLimits
from ledger.findings import Finding, Severity, Skip


def inspect_rate(
    code: str, fault: str, expected: TextLimits, actual: TextEvidence
) -> Iterator[Finding | Skip]:
    """An ERROR above the allowed rate, an INFO at or below it, nothing where no line was flagged.

    `fault` completes "3 of 1,000 lines …". A code that was not looked at becomes a Skip with its reason.
    """
    if actual.lines == 0:
        yield Skip(code, "the output has no lines")
        return
    if code not in actual.flagged:
        yield Skip(code, actual.unseen.get(code, "it was not looked at"))
        return
    flagged = actual.flagged[code]
    if flagged.count == 0:
        return
    rate = flagged.count / actual.lines
    allowed = expected.max_rate.get(code, DEFAULT_MAX_RATE[code])
    yield Finding(
        code,
        Severity.ERROR if rate > allowed else Severity.INFO,
        f"{flagged.count:,} of {actual.lines:,} lines {fault}: {rate:.2%}, at most {allowed:.2%} allowed",
        measured=rate,
        threshold=allowed,
        evidence={
            "count": flagged.count,
            "lines": actual.lines,
            "worst": [asdict(sample) for sample in flagged.worst],
        },
    )
