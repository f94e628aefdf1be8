"""One table for terminals and Markdown. Widths are counted in terminal cells: East Asian characters take two.

Imports no more of rich than its cell widths, for commands that are typed all day.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Literal

from rich.cells import cell_len, chop_cells, set_cell_size

from ledger.utils.escape import escaped, visible

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.text import Text

GAP = 2
LEAST = 6  # cells that a folded column keeps
BREAKS = re.compile(r"([._(/|-])")  # after which a long name may break


class Styled(str):
    """A cell drawn in a style of rich's, such as `bold red`."""

    __slots__ = ("style",)
    style: str


def styled(text: str, style: str) -> Styled:
    """The text as a cell in that style."""
    cell = Styled(text)
    cell.style = style
    return cell


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, the alignment, and what happens to long cells.

    `fold` breaks them into lines, `cut` ends them with an ellipsis, `whole` only does so once the other
    columns cannot shrink any further.
    """

    heading: str = ""
    fit: Literal["fold", "cut", "whole"] = "fold"
    right: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under headings; a heading stands for a `Column` that folds.

    A renderable of rich's. Characters that a terminal would obey or hide show as the replacement character.
    """

    columns: Sequence[Column | str]
    rows: Sequence[Sequence[str]]
    title: str = ""

    def lines(self, width: int) -> list[str]:
        """Title, headings and rows as lines of at most `width` cells, if the columns can be so narrow."""
        body = (_joined(parts).rstrip() for parts, _ in self._lines(width))
        return [*([visible(self.title)] if self.title else []), *body]

    def markdown(self) -> str:
        """A Markdown table; empty if there are no rows."""
        headings = [escaped(column.heading) for column in self._columns()]
        head = [" | ".join(headings), " | ".join("---" for _ in headings)]
        body = [" | ".join(map(escaped, row)) for row in self.rows]
        return "\n".join(f"| {line} |" for line in (*head, *body)) if body else ""

    def __rich_console__(self, _console: "Console", options: "ConsoleOptions") -> "Iterator[Text]":
        """The same lines with the styles of their cells, as rich asks for them."""
        from rich.text import Text

        if self.title:
            yield Text(self.title, "italic")
        for parts, styles in self._lines(options.max_width):
            line = Text(no_wrap=True, overflow="ignore")
            for place, (part, style) in enumerate(zip(parts, styles, strict=True)):
                line.append(" " * GAP if place else "").append(part, style)
            line.rstrip()
            yield line

    def _lines(self, width: int) -> Iterator[tuple[list[str], list[str]]]:
        """The padded cells of each line, and the styles of the cells."""
        columns = self._columns()
        headings = [styled(column.heading, "bold") for column in columns]
        rows = [*([headings] if any(headings) else []), *self.rows]
        shown = [[visible(cell) for cell in row] for row in rows]
        widths = _widths(shown, columns, width)
        for row, texts in zip(rows, shown, strict=True):
            styles = [cell.style if isinstance(cell, Styled) else "" for cell in row]
            cells = [
                fold(text, size) if column.fit == "fold" else [fit(text, size)]
                for text, size, column in zip(texts, widths, columns, strict=True)
            ]
            for parts in zip_longest(*cells, fillvalue=""):
                yield [_padded(*one) for one in zip(parts, widths, columns, strict=True)], styles

    def _columns(self) -> list[Column]:
        return [one if isinstance(one, Column) else Column(one) for one in self.columns]


def fold(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` cells, broken at spaces, else within names, else anywhere."""
    text = visible(text)
    if cell_len(text) <= width:
        return [text]
    lines = [""]
    words = text.replace(" ", " \u200b").split("\u200b")
    for part in (part for word in words for part in _joints(word, width)):
        word = part.rstrip()
        if not word or cell_len(lines[-1] + word) <= width:
            lines[-1] += part
        else:
            pieces = [piece for piece in chop_cells(word, width) if piece]
            pieces[-1] += part[len(word) :]
            lines[-1:] = [lines[-1], *pieces] if lines[-1] else pieces
    return [line.rstrip() for line in lines]


def _joints(word: str, width: int) -> list[str]:
    """The parts of a word that is too long for a line, else the word."""
    return [word] if cell_len(word.rstrip()) <= width else BREAKS.sub("\\1\u200b", word).split("\u200b")


def fit(text: str, width: int) -> str:
    """`text` in at most `width` cells, ended with an ellipsis where it was cut."""
    return text if cell_len(text) <= width else f"{set_cell_size(text, width - 1).rstrip()}…"


def _widths(rows: Iterable[Sequence[str]], columns: Sequence[Column], width: int) -> list[int]:
    """Natural widths; if they exceed `width`, the widest columns shrink first, and whole ones last."""
    widths = [max(map(cell_len, cells), default=0) for cells in zip(*rows, strict=True)]
    room = width - GAP * (len(columns) - 1)
    least = [1 if column.fit == "cut" else LEAST for column in columns]
    for may_shrink in ({"fold", "cut"}, {"fold", "cut", "whole"}):
        while sum(widths) > room:
            wide = [
                place
                for place, column in enumerate(columns)
                if column.fit in may_shrink and widths[place] > least[place]
            ]
            if not wide:
                break
            widths[max(wide, key=widths.__getitem__)] -= 1
    return widths


def _padded(text: str, width: int, column: Column) -> str:
    space = " " * (width - cell_len(text))
    return space + text if column.right else text + space


def _joined(parts: Sequence[str]) -> str:
    return (" " * GAP).join(parts)
