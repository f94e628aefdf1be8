"""Which lines of an output fit the sources of other lines better than their own, as TXT013 reports."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from guards.text.measures.chunk import Chunk

BLOCK = 40
LONG_BLOCK = 400
MIN_LINES = 20
OFFSETS = (-2, -1, 1, 2)
# In standard errors of the mean difference of two lines' fits. The last is reached by chance in none of the
# 340,000 lines of human text; the first only chooses the blocks whose words are compared.
MIN_LENGTH_SCORE, MIN_WORD_SCORE, MIN_LENGTH_ALONE = 1.5, 4.5, 6.0
WORD = re.compile(r"[^\W_]{3,}|\d+")
UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u4e00-\u9fff\uac00-\ud7a3]")

Values = npt.NDArray[np.float32]


def shifted_lines(text: Chunk) -> list[int]:
    """The indices of the lines in stretches that fit another offset, in order."""
    total = len(text.outputs)
    if text.sources is None or total < MIN_LINES:
        return []
    shifted = np.zeros(total, dtype=bool)
    output, source = _lengths(text.outputs), _lengths(text.sources)
    source += np.median(output) - np.median(source)
    for offset in OFFSETS:
        gain = _length_gain(output, source, offset)
        for start in np.flatnonzero(_scores(gain, LONG_BLOCK) > MIN_LENGTH_ALONE).tolist():
            shifted[start : start + LONG_BLOCK] = True
        for start in _blocks(_scores(gain, BLOCK) > MIN_LENGTH_SCORE):
            if _words_agree(text, range(start, min(start + BLOCK, total)), offset):
                shifted[start : start + BLOCK] = True
    return [int(line) for line in np.flatnonzero(shifted)]


def _lengths(lines: Sequence[str]) -> Values:
    return np.log1p(np.fromiter(map(len, lines), dtype=np.float32, count=len(lines)))


def _length_gain(output: Values, source: Values, offset: int) -> Values:
    """For each line, how much better the length of the source `offset` lines on fits than its own."""
    gain = np.zeros_like(output)
    here = slice(max(0, -offset), len(output) - max(0, offset))
    there = slice(here.start + offset, here.stop + offset)
    gain[here] = np.abs(output[here] - source[here]) - np.abs(output[here] - source[there])
    return gain


def _scores(gain: Values, block: int) -> npt.NDArray[np.float64]:
    """For every stretch of `block` lines, its total gain in standard errors."""
    if len(gain) < block:
        block = len(gain) if block == BLOCK else len(gain) + 1
    sums, squares = (
        np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)]) for values in (gain, gain**2)
    )
    scores: npt.NDArray[np.float64] = (sums[block:] - sums[:-block]) / np.sqrt(
        squares[block:] - squares[:-block] + 1e-6
    )
    return scores


def _blocks(promising: npt.NDArray[np.bool_]) -> Iterator[int]:
    """The starts of promising stretches, a quarter of a stretch apart."""
    last = -BLOCK
    for start in np.flatnonzero(promising).tolist():
        if start - last >= BLOCK // 4:
            last = start
            yield start


def _words_agree(text: Chunk, lines: range, offset: int) -> bool:
    """Whether the words of these lines fit those of the sources or references `offset` lines on better."""
    outputs = [_words(text.outputs[line]) for line in lines]
    for others in (text.references, text.sources):
        if others is None:
            continue
        around = {
            line: _words(others[line])
            for line in range(lines.start - 2, lines.stop + 2)
            if 0 <= line < len(others)
        }
        gain = [
            _overlap(words, around.get(line + offset, frozenset())) - _overlap(words, around[line])
            for line, words in zip(lines, outputs, strict=True)
        ]
        if _scores(np.array(gain, dtype=np.float32), BLOCK)[0] > MIN_WORD_SCORE:
            return True
    return False


@lru_cache(maxsize=1024)
def _words(text: str) -> frozenset[str]:
    """The words and numbers of a line; pairs of letters in scripts without spaces."""
    if UNSPACED.search(text):
        return frozenset(text[i : i + 2] for i in range(len(text) - 1))
    return frozenset(WORD.findall(text.lower()))


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / (1 + max(len(one), len(other)))
