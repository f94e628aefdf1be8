"""TXT015: lines that differ from their reference in Unicode form only."""

import re
import unicodedata

from guards.guard import Explanation
from guards.text import flag_rate
from guards.text.measures.chunk import Chunk

CODE = "TXT015"
TITLE = "Unicode form"
READS = flag_rate.READS
EXPLANATION = Explanation(
    means="A line and its reference look alike and differ in code points: composed or decomposed letters "
    "(NFC, NFD), half or full width, zero-width characters, a byte order mark, or the kind of space. "
    "Compared after NFKC and without invisible characters. Skipped without a reference.",
    matters="Scores count such lines as wrong: the same text can lose 25 BLEU, and a comparison then calls "
    "one output better than another that reads the same.",
    do="Normalize the output and the reference in the same way before you score or compare, for example "
    "with unicodedata.normalize, and say so beside the score.",
)

INVISIBLE = re.compile("[\\xad\\u200b-\\u200f\\u2060-\\u2064\\ufeff]")


def normalized(text: str) -> str:
    """The text as a reader sees it: NFKC, without invisible characters, with single plain spaces."""
    return " ".join(unicodedata.normalize("NFKC", INVISIBLE.sub("", text)).split())


def flagged_lines(text: Chunk) -> list[int]:
    """The indices of the lines that are their reference in another form, in order."""
    if text.references is None:
        return []
    return [
        index
        for index, (output, reference) in enumerate(zip(text.outputs, text.references, strict=True))
        if output != reference
        and not (output.isascii() and reference.isascii())
        and _alike(output, reference)
    ]


def _alike(output: str, reference: str) -> bool:
    if output.isascii() and reference.isascii():
        return output.split() == reference.split()
    return normalized(output) == normalized(reference)


def sample_priority(output: str, source: str | None) -> int:  # noqa: ARG001 - one signature for all text rules
    """How useful a line is as a sample: the longest is best."""
    return len(output)


inspect = flag_rate.inspection(CODE, "differ from their reference in Unicode form only")
