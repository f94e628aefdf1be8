"""TXT006: blank lines."""

import re

from guards.guard import Explanation
from guards.text import flag_rate

CODE = "TXT006"
TITLE = "Empty"
READS = flag_rate.READS
EXPLANATION = Explanation(
    means="A line is blank (only white space, control and invisible characters) although its source is not. "
    "Without a source every blank line counts.",
    matters="The model stopped at once, or a cleaning step deleted too much. Tools that drop blank lines "
    "then misalign every later line with the source.",
    do="Check forced_eos_token_id and decoder_start_token_id, and what post-processing removes; compare the "
    "line counts of output and source.",
)

BLANK = re.compile(r"[\s\x00-\x1f\x7f\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]*")


def is_flagged(output: str, source: str | None) -> bool:
    """Whether the line is blank although its source is not, or is unknown."""
    return is_blank(output) and (source is None or not is_blank(source))


def is_blank(text: str) -> bool:
    """Whether the text has no visible character."""
    return BLANK.fullmatch(text) is not None


def sample_priority(output: str, source: str | None) -> int:
    """How useful a line is as a sample: the one with the longest source is best."""
    return len(source or output)


inspect = flag_rate.inspection(CODE, "are empty")
