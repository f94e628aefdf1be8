"""TXT012: one output for many different sources."""

from typing import TYPE_CHECKING

from guards.guard import Explanation
from guards.text import flag_rate
from guards.text.measures.chunk import Chunk
from guards.text.measures.width import columns

if TYPE_CHECKING:
    from guards.text.measures.fingerprints import Prints

CODE = "TXT012"
TITLE = "One output for many sources"
READS = flag_rate.READS
EXPLANATION = Explanation(
    means="The same output, apart from digits, punctuation and case, stands for five or more different "
    "sources, or for three in a row. Outputs below 12 columns and sources below 16 do not count, since short "
    "answers and labels are rightly alike; nor do the lines of the source that the output stands for most "
    "often. Skipped without a source.",
    matters="The model has detached from its source and writes a sentence that was frequent in training: a "
    "refusal, an apology, the closing line of a video. No such line looks wrong by itself. On annotated "
    "German-English lines this held for 98 of 129 fully detached ones.",
    do="Read the sources of the flagged lines: are they empty, cut off or in another language? Then check "
    "the source language code, the tokenizer and max_source_length, and take the lines out of training data.",
)

MIN_SOURCES = 5
MIN_IN_A_ROW = 3
MIN_OUTPUT_COLUMNS = 12
MIN_SOURCE_COLUMNS = 16


def flagged_lines(text: Chunk) -> list[int]:
    """The indices of the lines whose output stands for many sources, in order."""
    if text.sources is None:
        return []
    import numpy as np

    from guards.text.measures.fingerprints import prints_of

    outputs, sources = text.prints or prints_of(text)
    order = np.lexsort((sources, outputs))
    new_output = np.diff(outputs[order], prepend=outputs[order[:1]] ^ np.uint64(1)) != 0
    new_pair = new_output | (np.diff(sources[order], prepend=np.uint64(0)) != 0)
    starts = np.flatnonzero(new_output)
    many = np.add.reduceat(new_pair, starts, dtype=np.intp) >= MIN_IN_A_ROW if len(starts) else new_output
    ends = np.append(starts[1:], len(order))
    found: list[int] = []
    for start, end in zip(starts[many].tolist(), ends[many].tolist(), strict=True):
        if outputs[order[start]]:
            found += _different(sorted(order[start:end].tolist()), text, sources)
    return sorted(found)


def _different(lines: list[int], text: Chunk, prints: "Prints") -> list[int]:
    """The lines of one output, less those of its most frequent source; none if too few sources are left.

    Among sources that are equally frequent it is the first.
    """
    if columns(text.outputs[lines[0]]) < MIN_OUTPUT_COLUMNS:
        return []
    by_source: dict[int, list[int]] = {}
    for line in lines:
        if columns(text.source(line) or "") >= MIN_SOURCE_COLUMNS:
            by_source.setdefault(int(prints[line]), []).append(line)
    if len(by_source) < MIN_SOURCES and not _follow_each_other([found[0] for found in by_source.values()]):
        return []
    usual = max(by_source, key=lambda source: len(by_source[source]))
    return [line for source, lines in by_source.items() if source != usual for line in lines]


def _follow_each_other(lines: list[int]) -> bool:
    """Whether enough of the lines stand one after the other."""
    lines = sorted(lines)
    apart = MIN_IN_A_ROW - 1
    return any(last - first == apart for first, last in zip(lines, lines[apart:], strict=False))


def sample_priority(output: str, source: str | None) -> int:
    """How useful a line is as a sample: the one that differs most from its source in width is best."""
    return abs(columns(output) - columns(source or ""))


inspect = flag_rate.inspection(CODE, "have an output that stands for many different sources")
