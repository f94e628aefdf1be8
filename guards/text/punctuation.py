"""TXT002: lines of punctuation alone."""

import re
from collections.abc import Iterator

from guards.guard import Explanation
from guards.text.flag_rate import inspect_rate
from ledger.evidence.text import TextEvidence, TextLimits
from ledger.findings import Finding, Skip

CODE = "TXT002"
TITLE = "Punctuation only"
READS = (TextLimits, TextEvidence)
EXPLANATION = Explanation(
    means="A line holds no letter and no digit where its source has some: '. . . . .', ',,,', '?????'. "
    "Without a source every such line counts.",
    matters="It is what a model whose weights were not loaded, or that was never taught to translate, tends "
    "to emit; patterns for repetition and compression ratios miss the short ones.",
    do="Reload the checkpoint in a fresh process and look for newly initialised weights; check that the "
    "model was fine-tuned for translation and that tokenizer and checkpoint belong together.",
)

WORD_CHARACTER = re.compile(r"[^\W_]")


def is_flagged(output: str, source: str | None) -> bool:
    """Whether the line has no letter or digit although its source has one (or is not known)."""
    if WORD_CHARACTER.search(output):
        return False
    return source is None or WORD_CHARACTER.search(source) is not None


def sample_priority(output: str, source: str | None) -> int:  # noqa: ARG001 - one signature for all text rules
    """How much a line tells as a sample: the longest most."""
    return len(output)


def inspect(expected: TextLimits, actual: TextEvidence) -> Iterator[Finding | Skip]:
    """Hold the rate of flagged lines against the one that is allowed."""
    return inspect_rate(CODE, "are punctuation only", expected, actual)
