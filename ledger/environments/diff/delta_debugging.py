"""Delta debugging: which of many changes together cause a failure.

The algorithm is ddmin of Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (2002). A
single cause among n changes takes about 2 log2 n tests, the worst case n².
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

Change = TypeVar("Change")


def minimal_cause(changes: Sequence[Change], fails: Callable[[Sequence[Change]], bool]) -> list[Change]:
    """A smallest set of changes that still fails: without any one of them, it does not.

    `fails` tests a subset, in the order of `changes`; all of them together are known to fail. A subset that
    cannot be tested counts as not failing. No subset is tested twice.
    """
    known: dict[tuple[int, ...], bool] = {tuple(range(len(changes))): True}

    def failing(subset: Sequence[int]) -> bool:
        key = tuple(subset)
        if key not in known:
            known[key] = fails([changes[one] for one in key])
        return known[key]

    rest, parts = list(range(len(changes))), 2
    while len(rest) > 1:
        chunks = [rest[len(rest) * n // parts : len(rest) * (n + 1) // parts] for n in range(parts)]
        others = [[one for one in rest if one not in chunk] for chunk in chunks]
        if smaller := next((chunk for chunk in chunks if failing(chunk)), None):
            rest, parts = smaller, 2
        elif smaller := next((other for other in others if failing(other)), None):
            rest, parts = smaller, max(parts - 1, 2)
        elif parts < len(rest):
            parts = min(2 * parts, len(rest))
        else:
            break
    return [changes[one] for one in rest]
