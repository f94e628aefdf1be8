"""The one place that makes text safe to show: on a terminal, in Markdown and in HTML.

Names of files, tensors and authors, notes and messages of other programs come from anywhere. Shown as they
are, they could write to the clipboard of the terminal, forge a line of a table, or run a script in a report.
"""

import json
import re
import unicodedata

_JOINERS = "\u200c\u200d"  # part of words in Persian and of many emoji
# What Markdown gives a meaning to wherever it stands; an underscore inside a word has none.
_MARKDOWN = re.compile(r"[\\`*\[\]|~]|(?<![^\W_])_|_(?![^\W_])")


def visible(text: str) -> str:
    """The text on one line, with what a terminal would obey or hide shown as the replacement character."""
    if text.isprintable():
        return text
    return "".join(char if _is_shown(char) else "\N{REPLACEMENT CHARACTER}" for char in text)


def printable(text: str) -> str:
    """The same, line by line: line feeds are kept."""
    return "\n".join(map(visible, text.split("\n")))


def escaped(text: str) -> str:
    """The text for Markdown, on one line: it cannot end a cell, start a tag, a link or emphasis."""
    text = visible(text.replace("\n", " "))
    return _MARKDOWN.sub(r"\\\g<0>", text.replace("&", "&amp;").replace("<", "&lt;"))


def code(text: str) -> str:
    """The text as code in Markdown."""
    text = visible(text.replace("\n", " "))
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence} {text} {fence}" if "`" in text else f"{fence}{text}{fence}"


def ascii_controls(document: str) -> str:
    r"""A JSON document with what JSON does not escape and a terminal may obey written as \u…."""
    return "\n".join(
        line
        if line.isprintable()
        else "".join(char if _is_shown(char) else json.dumps(char)[1:-1] for char in line)
        for line in document.split("\n")
    )


def _is_shown(char: str) -> bool:
    return char.isprintable() or char in _JOINERS or unicodedata.category(char) == "Zs"
