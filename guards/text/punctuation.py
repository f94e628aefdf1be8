"""TXT002: lines that consist of punctuation only."""

import re

from guards.guard import Explanation
from guards.text import flag_rate

CODE = "TXT002"
TITLE = "Punctuation only"
READS = flag_rate.READS
EXPLANATION = Explanation(
    means="A line has no letter and no digit although its source has some: '. . . . .', ',,,', '?????'. "
    "Without a source every such line counts.",
    matters="This is typical output of a model whose weights were not loaded, or that was never trained to "
    "translate; the repetition rules miss short lines of this kind.",
    do="Reload the checkpoint in a fresh process and check for newly initialised weights; check that the "
    "model was fine-tuned for translation and that tokenizer and checkpoint belong together.",
)

WORD_CHARACTER = re.compile(r"[^\W_]")


def is_flagged(output: str, source: str | None) -> bool:
    """Whether the line has no letter or digit although its source has one, or is unknown."""
    if WORD_CHARACTER.search(output):
        return False
    return source is None or WORD_CHARACTER.search(source) is not None


def sample_priority(output: str, source: str | None) -> int:  # noqa: ARG001 - one signature for all text rules
    """How useful a line is as a sample: the longest is best."""
    return len(output)


inspect = flag_rate.inspection(CODE, "are punctuation only")
