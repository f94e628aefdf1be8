"""Counts and lists as messages show them: `1 line`, `2 lines`, `a, b and 3 more`, `(and 3 more)`."""

from collections.abc import Sequence, Sized


def count(number: int, noun: str, plural: str = "") -> str:
    """The number with its noun: `1 line`, `1,204 lines`; `plural` is for nouns that do not just take an s."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def and_more(items: Sequence[str], limit: int, separator: str = ", ") -> str:
    """The first `limit` items and the number of the others: `a, b and 3 more`."""
    shown, others = separator.join(items[:limit]), len(items) - limit
    joint = " and " if separator == ", " else f"{separator}and "
    return f"{shown}{joint}{others:,} more" if others > 0 else shown


def besides_first(items: Sized) -> str:
    """` (and 3 more)`, to follow a sentence about the first of the items; empty if there is only one."""
    return f" (and {len(items) - 1:,} more)" if len(items) > 1 else ""
