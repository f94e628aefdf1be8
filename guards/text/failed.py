"""TXT005: lines that hold a failure marker instead of a translation."""

from collections.abc import Iterator, Sequence

from guards.guard import Explanation
from guards.text.flag_rate import inspect_rate
from ledger.evidence.text import TextEvidence, TextLimits
from ledger.findings import Finding, Skip

CODE = "TXT005"
TITLE = "Failed"
READS = (TextLimits, TextEvidence)
EXPLANATION = Explanation(
    means="A line holds one of the spec's failure markers (FAILED_TRANSLATION_CLEANED, say), which its "
    "source does not: whoever produced the output gave up on it.",
    matters="A marker is an honest gap, but a gap: scored, it costs BLEU; trained on, it is taught.",
    do="Look at the sources of the flagged lines: too long for max_length, empty, in another language? "
    "Leave the lines out of training data.",
)


# What the generation scripts of this field leave where a line failed.
DEFAULT_MARKERS = ("FAILED_TRANSLATION_CLEANED",)


def is_flagged(output: str, source: str | None, markers: Sequence[str]) -> bool:
    """Whether a marker stands in the line and not in its source."""
    return any(marker in output and marker not in (source or "") for marker in markers)


def sample_priority(output: str, source: str | None) -> int:
    """How much a line tells as a sample: the one whose source was longest most."""
    return len(source or output)


def inspect(expected: TextLimits, actual: TextEvidence) -> Iterator[Finding | Skip]:
    """Hold the rate of flagged lines against the one that is allowed."""
    return inspect_rate(CODE, "hold a failure marker", expected, actual)
