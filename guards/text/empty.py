"""TXT006: lines with nothing to see."""

import re
from collections.abc import Iterator

from guards.guard import Explanation
from guards.text.flag_rate import inspect_rate
from ledger.evidence.text import TextEvidence, TextLimits
from ledger.findings import Finding, Skip

CODE = "TXT006"
TITLE = "Empty"
READS = (TextLimits, TextEvidence)
EXPLANATION = Explanation(
    means="A line is blank (white space, control and invisible characters) where its source is not. "
    "Without a source every blank line counts.",
    matters="A model that ends at once, or a cleaning step that deleted too much. Tools that drop blank "
    "lines then shift every line after them against the source.",
    do="Check forced_eos_token_id and decoder_start_token_id, and what post-processing removes; "
    "compare the line counts of output and source.",
)

BLANK = re.compile(r"[\s\x00-\x1f\x7f\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]*")


def is_flagged(output: str, source: str | None) -> bool:
    """Whether the line is blank although its source is not (or is not known)."""
    return is_blank(output) and (source is None or not is_blank(source))


def is_blank(text: str) -> bool:
    """Whether there is nothing to see."""
    return BLANK.fullmatch(text) is not None


def sample_priority(output: str, source: str | None) -> int:
    """How much a line tells as a sample: the one whose source was longest most."""
    return len(source or output)


def inspect(expected: TextLimits, actual: TextEvidence) -> Iterator[Finding | Skip]:
    """Hold the rate of flagged lines against the one that is allowed."""
    return inspect_rate(CODE, "are empty", expected, actual)
