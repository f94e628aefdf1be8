"""Plain tables whose cells fold to a given width. For commands that are typed all day: no rich here."""

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from textwrap import wrap

GAP = 2
LEAST = 6  # characters that a column keeps
BREAKS = re.compile(r"([._(/-])")  # after which a long name may break


def folded(rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """The rows as lines of at most `width` characters; the widest columns give way first, and fold.

    A character that a terminal would obey or hide shows as the replacement character.
    """
    rows = [[_visible(cell) for cell in row] for row in rows]
    widths = [max((len(cell) for cell in cells), default=0) for cells in zip(*rows, strict=True)]
    room = max(width - GAP * (len(widths) - 1), LEAST * len(widths))
    while sum(widths) > room:
        widest = widths.index(max(widths))
        widths[widest] -= 1
    for row in rows:
        cells = [fold(cell, size) for cell, size in zip(row, widths, strict=True)]
        for line in zip_longest(*cells, fillvalue=""):
            padded = (part.ljust(size) for part, size in zip(line, widths, strict=True))
            yield (" " * GAP).join(padded).rstrip()


def fold(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` characters, broken at spaces, else within names, else anywhere."""
    text = _visible(text)
    if len(text) <= width:
        return [text]
    parts = BREAKS.sub("\\1\u200b", text).replace(" ", " \u200b").split("\u200b")
    lines = [""]
    for part in parts:
        for piece in wrap(part, width, drop_whitespace=False) or [""]:
            if len(lines[-1]) + len(piece.rstrip()) > width:
                lines[-1] = lines[-1].rstrip()
                lines.append("")
            lines[-1] += piece
    return [line.rstrip() for line in lines]


def _visible(text: str) -> str:
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
