"""TXT005: lines that contain a failure marker instead of a translation."""

from collections.abc import Sequence

from guards.guard import Explanation
from guards.text import flag_rate

CODE = "TXT005"
TITLE = "Failed"
READS = flag_rate.READS
EXPLANATION = Explanation(
    means="A line contains one of the spec's failure markers, such as FAILED_TRANSLATION_CLEANED, and its "
    "source does not: the program that wrote the output gave up on this line.",
    matters="A marked line is still a missing translation: it lowers BLEU, and a model trained on it learns "
    "to write the marker.",
    do="Read the sources of the flagged lines: are they too long for max_length, empty, or in another "
    "language? Leave these lines out of training data.",
)

# Written by common generation scripts where a line failed.
DEFAULT_MARKERS = ("FAILED_TRANSLATION_CLEANED",)


def is_flagged(output: str, source: str | None, markers: Sequence[str]) -> bool:
    """Whether a marker is in the line and not in its source."""
    return any(marker in output and marker not in (source or "") for marker in markers)


def sample_priority(output: str, source: str | None) -> int:
    """How useful a line is as a sample: the one with the longest source is best."""
    return len(source or output)


inspect = flag_rate.inspection(CODE, "contain a failure marker")
