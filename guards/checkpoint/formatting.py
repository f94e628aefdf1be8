"""Lists of tensor names in messages: pure functions of this family."""

from collections.abc import Iterable

from ledger.utils.plural import and_more, count

MOST = 6


def listed(names: Iterable[str]) -> str:
    """The first few names in order, and the number of the others."""
    return and_more(sorted(names), MOST)


def joined(names: Iterable[str]) -> str:
    """All names in order, as in a sentence: a, b and c."""
    *most, last = sorted(names)
    return f"{', '.join(most)} and {last}" if most else last


def tensors(number: int) -> str:
    """`1 tensor`, `2,000 tensors`."""
    return count(number, "tensor")
