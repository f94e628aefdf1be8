"""The check that all text guards share: the rate of flagged lines, compared with the allowed rate."""

from collections.abc import Callable, Iterator
from dataclasses import asdict

from guards.text.limits import DEFAULT_MAX_RATE
from ledger.evidence.text import Flagged, LineSample, TextEvidence, TextLimits
from ledger.findings import Finding, Severity, Skip
from ledger.utils.proportion import wilson_interval

CONFIDENCE = 0.95

READS = (TextLimits, TextEvidence)


# What the worst lines have in common, in words that follow the fault in parentheses.
Detail = Callable[[tuple[LineSample, ...]], str]


def inspection(
    code: str, fault: str, detail: Detail | None = None
) -> Callable[[TextLimits, TextEvidence], Iterator[Finding | Skip]]:
    """The `inspect` of one text guard; `fault` completes "3 of 1,000 lines …".

    It yields an ERROR above the allowed rate, an INFO at or below it, nothing if no line was flagged, and a
    Skip with the reason if the rule could not be applied.
    """

    def inspect(expected: TextLimits, actual: TextEvidence) -> Iterator[Finding | Skip]:
        return _inspect_rate(code, fault, detail, expected, actual)

    return inspect


def _inspect_rate(
    code: str, fault: str, detail: Detail | None, expected: TextLimits, actual: TextEvidence
) -> Iterator[Finding | Skip]:
    if actual.lines == 0:
        yield Skip(code, "the output has no lines")
        return
    if code not in actual.flagged:
        yield Skip(code, actual.unseen.get(code, "the rule was not applied"))
        return
    flagged = actual.flagged[code]
    if flagged.count == 0:
        return
    judged = flagged.judged or actual.lines
    rate = flagged.count / judged
    more = detail(flagged.worst) if detail else ""
    found = f"{fault} ({more})" if more else fault
    allowed = expected.max_rate.get(code, DEFAULT_MAX_RATE[code])
    yield Finding(
        code,
        Severity.ERROR if rate > allowed else Severity.INFO,
        f"{flagged.count:,} of {judged:,} {_drawn(flagged)}lines {found}: {rate:.2%}{_interval(flagged)}, "
        f"at most {allowed:.2%} allowed",
        measured=rate,
        threshold=allowed,
        evidence={
            "count": flagged.count,
            "lines": judged,
            "worst": [asdict(sample) for sample in flagged.worst],
        },
    )


def _drawn(flagged: Flagged) -> str:
    return "randomly drawn " if flagged.judged else ""


def _interval(flagged: Flagged) -> str:
    """The 95% interval of the rate in the whole text, where only a sample was judged."""
    if not flagged.judged:
        return ""
    low, high = wilson_interval(flagged.count, flagged.judged, CONFIDENCE)
    return f" (95% interval {low:.2%} to {high:.2%})"
