"""Numbers in Markdown that are marked as a run's: `<!-- ledger: exp5 bleu -->33.03<!-- /ledger -->`.

This module finds them and does not judge them. Code blocks, as markdown-it-py parses them, have no claims.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ledger.evidence.gate import DocumentClaim

if TYPE_CHECKING:
    from markdown_it.token import Token

HOW = "write <!-- ledger: RUN METRIC -->NUMBER<!-- /ledger -->"
_MARK = re.compile(r"<!--\s*(?P<end>/?)ledger\b:?(?P<names>.*?)-->", re.DOTALL)
_EMPHASIS = re.compile(r"[*_`~]")


def find_claims(path: str, text: str) -> list[DocumentClaim]:
    """The claims of one document, in its order. A mark that is broken is a claim with a `problem`."""
    if not _MARK.search(text):
        return []
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    return [claim for token in tokens for claim in _claims_of(path, token)]


def _claims_of(path: str, token: "Token") -> Iterator[DocumentClaim]:
    line = token.map[0] + 1 if token.map else 1
    if token.type == "html_block":
        yield from _read(path, line, token.content)
    elif token.type == "inline":
        yield from _read(path, line, "".join(map(_visible, token.children or [])))


def _visible(token: "Token") -> str:
    """The text of an inline token; of code, marks are taken out, for there they are examples."""
    if token.type == "code_inline":
        return _MARK.sub("", token.content)
    return "\n" if token.type in ("softbreak", "hardbreak") else token.content


def _read(path: str, first_line: int, text: str) -> Iterator[DocumentClaim]:
    opened: re.Match[str] | None = None
    for mark in _MARK.finditer(text):
        line = first_line + text.count("\n", 0, (opened or mark).start())
        if mark["end"] and opened is None:
            yield DocumentClaim(path, line, problem=f"ends a claim that was not begun; {HOW}")
        elif mark["end"] and opened:
            yield _claim(path, line, opened["names"], text[opened.end() : mark.start()])
            opened = None
        elif opened:
            yield DocumentClaim(path, line, problem=f"has a claim without its end; {HOW}")
            opened = mark
        else:
            opened = mark
    if opened:
        line = first_line + text.count("\n", 0, opened.start())
        yield DocumentClaim(path, line, problem=f"has a claim without its end; {HOW}")


def _claim(path: str, line: int, names: str, text: str) -> DocumentClaim:
    parts = names.split()
    written = _EMPHASIS.sub("", text).strip()
    if len(parts) != 2:
        return DocumentClaim(
            path, line, text=written, problem=f"has a claim that names no run and metric; {HOW}"
        )
    return DocumentClaim(path, line, parts[0], parts[1], written)
