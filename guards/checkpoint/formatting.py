"""Lists of tensor names as a message shows them: pure functions of this family."""

from collections.abc import Iterable

MOST = 6


def listed(names: Iterable[str], most: int = MOST) -> str:
    """The first few names in order, and how many more there are."""
    every = sorted(names)
    more = len(every) - most
    return f"{', '.join(every[:most])}{f' and {more:,} more' if more > 0 else ''}"


def joined(names: Iterable[str]) -> str:
    """All the names in order, as a sentence has them: a, b and c."""
    *most, last = sorted(names)
    return f"{', '.join(most)} and {last}" if most else last


def tensors(count: int) -> str:
    """`1 tensor`, `2,000 tensors`."""
    return f"{count:,} tensor{'' if count == 1 else 's'}"
