"""TXT007: lines far longer or shorter than their source."""

from collections.abc import Iterator
from unicodedata import east_asian_width

from guards.guard import Explanation
from guards.text.flag_rate import inspect_rate
from ledger.evidence.text import TextEvidence, TextLimits
from ledger.findings import Finding, Skip

CODE = "TXT007"
TITLE = "Length ratio"
READS = (TextLimits, TextEvidence)
EXPLANATION = Explanation(
    means="A line is more than three times as long as its source, or less than a third, and they differ "
    "by more than 15 columns. A Chinese, Japanese or Korean character counts as two columns, as it "
    "does on a terminal: so English and Japanese can be compared. Not judged without a source, or "
    "for a blank one.",
    matters="Much too short is text left out (length_penalty, early stopping, a truncated source); much too "
    "long is invention or looping.",
    do="Look at the worst lines, then at max_length, length_penalty and the source's longest lines; at "
    "a high rate check that source and output are of the same file, line for line.",
)

# OpusFilter's LengthRatioFilter has the same default.
MAX_RATIO = 3
# In columns. Below it a ratio says little: one syllable of assent may rightly become seven.
MIN_DIFFERENCE = 15


def is_flagged(output: str, source: str | None) -> bool:
    """Whether the columns of output and source are beyond 3:1 and more than 15 apart."""
    if not source or source.isspace():
        return False
    shorter, longer = sorted((columns(output), columns(source)))
    return longer > MAX_RATIO * shorter and longer - shorter > MIN_DIFFERENCE


def columns(text: str) -> int:
    """The width on a terminal: two for wide and full-width characters (UAX #11), else one."""
    return len(text) + sum(1 for char in text if east_asian_width(char) in "WF")


def sample_priority(output: str, source: str | None) -> int:
    """How much a line tells as a sample: the one furthest from its source most."""
    return abs(columns(output) - columns(source or ""))


def inspect(expected: TextLimits, actual: TextEvidence) -> Iterator[Finding | Skip]:
    """Hold the rate of flagged lines against the one that is allowed."""
    return inspect_rate(CODE, "are beyond 3:1 in length to their source", expected, actual)
