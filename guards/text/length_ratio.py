"""TXT007: lines much longer or shorter than their source."""

from guards.guard import Explanation
from guards.text import flag_rate
from guards.text.measures.width import columns

CODE = "TXT007"
TITLE = "Length ratio"
READS = flag_rate.READS
EXPLANATION = Explanation(
    means="A line is more than three times as long as its source, or less than a third, and they differ by "
    "more than 15 columns. A Chinese, Japanese or Korean character counts as two columns, as on a terminal, "
    "so that English and Japanese can be compared. Skipped without a source; blank source lines are ignored.",
    matters="Output that is much too short leaves text out (length_penalty, early stopping, a truncated "
    "source); output that is much too long is invented or repeated.",
    do="Read the worst lines, then check max_length, length_penalty and the source's longest lines. If the "
    "rate is high, check that source and output belong to the same file, line for line.",
)

# OpusFilter's LengthRatioFilter has the same default.
MAX_RATIO = 3
# In columns. The ratio of shorter lines says little: one syllable of assent may correctly become seven.
MIN_DIFFERENCE = 15


def is_flagged(output: str, source: str | None) -> bool:
    """Whether the widths of output and source differ by more than 3:1 and by more than 15 columns."""
    if not source or source.isspace():
        return False
    shorter, longer = sorted((columns(output), columns(source)))
    return longer > MAX_RATIO * shorter and longer - shorter > MIN_DIFFERENCE


def sample_priority(output: str, source: str | None) -> int:
    """How useful a line is as a sample: the one that differs most from its source in width is best."""
    return abs(columns(output) - columns(source or ""))


inspect = flag_rate.inspection(CODE, "differ from their source in length by more than 3:1")
