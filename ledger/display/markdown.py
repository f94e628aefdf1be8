"""Pieces of Markdown that is written here; reading it is for markdown-it."""

from collections.abc import Iterable


def table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table of Markdown; empty where there is no row."""
    lines = [" | ".join(map(escaped, row)) for row in rows]
    head = [" | ".join(headings), " | ".join("---" for _ in headings)]
    return "\n".join(f"| {line} |" for line in (*head, *lines)) if lines else ""


def escaped(text: str) -> str:
    """Text that Markdown takes for text."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
