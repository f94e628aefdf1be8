"""The parts of a line that the text guards object to, for display."""

from collections.abc import Iterator
from typing import NamedTuple

from guards.text import contamination, repetition
from guards.text.measures.scripts import Script


class Highlight(NamedTuple):
    """Characters `start` to `end` (excluded) of a line, and the code of the guard that objects to them."""

    start: int
    end: int
    code: str


def marks(output: str, source: str | None, script: Script | None = None) -> list[Highlight]:
    """The repeated parts and the foreign words of one line, in order; the first of any that overlap.

    A line that is flagged only for its compression ratio has no such part.
    """
    found = sorted(
        [*_repeated(output), *_foreign(output, source, script)], key=lambda mark: (mark.start, -mark.end)
    )
    chosen: list[Highlight] = []
    for mark in found:
        if not chosen or mark.start >= chosen[-1].end:
            chosen.append(mark)
    return chosen


def _repeated(output: str) -> Iterator[Highlight]:
    for pattern in (repetition.REPEATED, repetition.SHORT_LOOP):
        for match in pattern.finditer(output):
            if repetition.says_something(match[0]):
                yield Highlight(match.start(), match.end(), repetition.CODE)


def _foreign(output: str, source: str | None, script: Script | None) -> Iterator[Highlight]:
    if source is None or script is None:
        return
    words = contamination.foreign_words(output, source, script)
    for match in script.foreign_word.finditer(output):
        if match[0] in words:
            yield Highlight(match.start(), match.end(), contamination.CODE)
