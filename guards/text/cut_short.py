"""TXT009: lines that leave out a part of their source, or end too early."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from guards.guard import Explanation
from guards.text import flag_rate
from guards.text.measures.chunk import Chunk
from guards.text.measures.width import columns

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Lengths = npt.NDArray[np.float64]

CODE = "TXT009"
TITLE = "Cut short"
READS = flag_rate.READS
EXPLANATION = Explanation(
    means="A line is less than half as long as usual for its source, and has fewer sentences, or no full "
    "stop at the end where the source has one. Usual is the median length of references to sources, or of "
    "outputs to sources where there is no reference. A line that its reference continues is cut too. "
    "Sources below 26 columns do not count, nor does the full stop in languages and styles that do without. "
    "Skipped without a source.",
    matters="The end of a sentence, or a whole sentence, is lost: max_length or max_new_tokens was reached, "
    "the source was truncated, or the model stopped early. The lines read well, so only the length shows it.",
    do="Raise max_length, check truncation of the source, length_penalty and early_stopping, and split "
    "sources of several sentences.",
)

MAX_SHARE = 0.5  # of the usual length
MIN_SOURCE_CHARACTERS = 12
MIN_SOURCE_COLUMNS = 26
MIN_STOPS = 0.7  # of the outputs whose source ends with a full stop
SAMPLED_LINES = 1000
# Unicode's Sentence_Terminal of the scripts in wide use, and what may follow it.
END = re.compile("[.!?…。！？．｡।॥။។۔؟։᙮⋯~～♪）)\\]」』”’\"'»]\\s*$|[:;：；]\\s*$")
FULL_STOP = re.compile("[.!?。！？｡।॥။۔؟։][)\\]」』”’\"'»]*\\s*$")
SENTENCE_END = re.compile("[.!?](?=\\s|$)|[。！？｡।॥။។۔؟։]")


def flagged_lines(text: Chunk) -> list[int]:
    """The indices of the lines that are cut short, in order."""
    if text.sources is None or not text.outputs:
        return []
    import numpy as np

    outputs, sources = _lengths(text.outputs), _lengths(text.sources)
    usual = _median_ratio(_lengths(text.references) if text.references is not None else outputs, sources)
    short = outputs < MAX_SHARE * usual * sources
    if text.references is not None:
        short |= outputs < _lengths(text.references)
    uses_stops = text.references is not None or _uses_stops(text)
    return [i for i in np.flatnonzero(short).tolist() if _is_cut(i, text, usual, uses_stops)]


def _lengths(lines: Sequence[str]) -> "Lengths":
    import numpy as np

    return np.fromiter(map(len, lines), dtype=np.float64, count=len(lines))


def _median_ratio(targets: "Lengths", sources: "Lengths") -> float:
    import numpy as np

    long = sources >= MIN_SOURCE_CHARACTERS
    return float(np.median(targets[long] / sources[long])) if long.any() else 1.0


def _uses_stops(text: Chunk) -> bool:
    """Whether the outputs end with a stop where the sources do: Thai and many subtitles do not."""
    step = max(1, len(text.outputs) // SAMPLED_LINES)
    lines = [i for i in range(0, len(text.outputs), step) if END.search(text.source(i) or "")]
    return sum(END.search(text.outputs[i]) is not None for i in lines) >= MIN_STOPS * len(lines)


def _is_cut(index: int, text: Chunk, usual: float, uses_stops: bool) -> bool:
    output, source = text.outputs[index].rstrip(), text.source(index) or ""
    if not output or len(source) < MIN_SOURCE_CHARACTERS:
        return False
    if text.references is not None and _is_beginning(output, text.references[index].rstrip()):
        return True
    ratio = len(output) / (usual * len(source))
    if ratio >= MAX_SHARE or columns(source) < MIN_SOURCE_COLUMNS:
        return False
    if uses_stops and FULL_STOP.search(source) and not END.search(output):
        return True
    expected, found = (len(SENTENCE_END.findall(side)) for side in (source, output))
    return expected >= 2 and found < expected


def _is_beginning(output: str, reference: str) -> bool:
    """Whether the reference goes on after the output, which does not end as the reference does."""
    return len(output) < len(reference) and reference.startswith(output) and not END.search(output)


def sample_priority(output: str, source: str | None) -> int:
    """How useful a line is as a sample: the one that is shortest compared with its source is best."""
    return columns(source or "") - columns(output)


inspect = flag_rate.inspection(CODE, "leave out a part of their source")
