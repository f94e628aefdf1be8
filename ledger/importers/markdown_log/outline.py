"""A Markdown document as lines with their structure: headings, the label before, enclosing list items.

Parsed by markdown-it-py. This module knows nothing about experiments.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from markdown_it.token import Token

_MARKUP = re.compile(r"\*\*|__|`|~~")
_LABEL = re.compile(r"(?P<label>[^:：]{1,80})[:：]\s*(?P<value>.*)", re.DOTALL)

MOST_TEXT = 2_000  # characters of a line that are read: a longer one is data, not prose
LineKind = Literal["heading", "text", "item", "code", "row"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a document without its markup. `number` counts from 1.

    `headings` are those above it, outermost first; a heading includes itself as the last. `label` is the
    paragraph ending in a colon before the block, `parents` the enclosing list items. `block` numbers the
    list, fence, table or paragraph. `cells` and `header` are those of a table's row.
    """

    number: int
    text: str
    kind: LineKind
    headings: tuple[str, ...]
    label: str = ""
    parents: tuple[str, ...] = ()
    block: int = 0
    language: str = ""
    cells: tuple[str, ...] = ()
    header: tuple[str, ...] = ()

    @property
    def labelled(self) -> tuple[str, str]:
        """The text before and after the line's first colon; the label is empty if there is no colon."""
        return split_label(self.text)

    @property
    def context(self) -> tuple[str, ...]:
        """Headings, label and enclosing list items, outermost first."""
        return (*self.headings, *((self.label,) if self.label else ()), *self.parents)


def split_label(text: str) -> tuple[str, str]:
    """Split `key: value`; ("", text) for any other text."""
    found = _LABEL.fullmatch(text)
    return (found["label"].strip(), found["value"].strip()) if found else ("", text)


def read_lines(text: str) -> list[Line]:
    """The document's lines in order, without blank ones and rules."""
    from markdown_it import MarkdownIt

    return list(_TokenReader().lines(MarkdownIt("commonmark").enable("table").parse(text)))


class _TokenReader:
    """Reads the tokens once, and keeps track of headings, label and list items."""

    def __init__(self) -> None:
        self.headings: list[tuple[int, str]] = []
        self.label = ""
        self.items: list[str] = []
        self.block = 0
        self.header: tuple[str, ...] = ()

    def lines(self, tokens: "list[Token]") -> Iterator[Line]:
        for place, token in enumerate(tokens):
            kind = token.type
            if kind in ("bullet_list_open", "ordered_list_open"):
                self.block += not self.items
            elif kind == "list_item_open":
                self.items.append("")
            elif kind == "list_item_close":
                self.items.pop()
            elif kind == "heading_open":
                yield self._heading(token, tokens[place + 1].content)
            elif kind == "paragraph_open":
                yield from self._paragraph(token, tokens[place + 1].content)
            elif kind in ("fence", "code_block"):
                yield from self._code(token)
            elif kind == "tr_open":
                yield from self._row(token, tokens[place:])

    def _heading(self, token: "Token", content: str) -> Line:
        level = int(token.tag[1])
        self.headings = [one for one in self.headings if one[0] < level]
        self.headings.append((level, plain(content)))
        self.label = ""
        self.block += 1
        return self._line(_first(token), plain(content), "heading")

    def _paragraph(self, token: "Token", content: str) -> Iterator[Line]:
        rows = [plain(row) for row in content.split("\n")]
        if not self.items:
            self.block += 1
            self.label = ""
        for offset, row in enumerate(rows):
            if row:
                yield self._line(_first(token) + offset, row, "item" if self.items else "text")
            if not self.items:
                self.label = row.rstrip(":： ") if row.endswith((":", "：")) else self.label if offset else ""
        if self.items:
            self.items[-1] = self.items[-1] or rows[0]
        elif not rows[-1].endswith((":", "：")):
            self.label = ""

    def _code(self, token: "Token") -> Iterator[Line]:
        self.block += 1
        first = _first(token) + (token.type == "fence")
        for offset, row in enumerate(token.content.split("\n")):
            if row.strip():
                line = self._line(first + offset, row.rstrip(), "code")
                yield replace(line, language=token.info.strip().lower())

    def _row(self, token: "Token", rest: "list[Token]") -> Iterator[Line]:
        cells: list[str] = []
        is_header = False
        for one in rest:
            if one.type == "tr_close":
                break
            is_header = is_header or one.type == "th_open"
            if one.type == "inline":
                cells.append(plain(one.content))
        if is_header:
            self.block += 1
            self.header = tuple(cells)
            return
        line = self._line(_first(token), " | ".join(cells), "row")
        yield replace(line, cells=tuple(cells), header=self.header)

    def _line(self, number: int, text: str, kind: LineKind) -> Line:
        parents = tuple(item for item in self.items[:-1] if item)
        headings = tuple(title for _, title in self.headings)
        return Line(number, text[:MOST_TEXT], kind, headings, self.label, parents, self.block)


def plain(content: str) -> str:
    """Inline Markdown without its marks."""
    return _MARKUP.sub("", content[: 2 * MOST_TEXT]).strip()[:MOST_TEXT]


def _first(token: "Token") -> int:
    return (token.map[0] if token.map else 0) + 1
