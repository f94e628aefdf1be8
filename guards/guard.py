"""What a guard is, and the one operation that runs them: `inspect(guards, expected, actual) -> Report`.

A guard is a module. It has a stable CODE, a TITLE, the evidence slice that it READS, an EXPLANATION, and a
pure `inspect(expected, actual)` over that slice: no I/O, no clock, no heavy import.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from ledger.evidence import Evidence, Unobserved
from ledger.findings import Finding, Report, Skip


@dataclass(frozen=True, slots=True)
class Explanation:
    """What `ledger explain CODE` prints: what the code means, why it matters, what to do about it."""

    means: str
    matters: str
    do: str


class Guard(Protocol):
    """The shape of a guard module."""

    CODE: str
    TITLE: str
    READS: str
    EXPLANATION: Explanation

    def inspect(self, expected: Any, actual: Any, /) -> Iterator[Finding | Skip]:
        """Yield what is wrong between the two sides of the slice; nothing means passed."""
        ...


def inspect(guards: Iterable[Guard], expected: Evidence, actual: Evidence) -> Report:
    """Run every guard on its slice. A slice that is Unobserved on either side becomes a Skip."""
    findings: list[Finding] = []
    skips: list[Skip] = []
    passed: list[str] = []
    for guard in guards:
        results = list(_look(guard, expected, actual))
        findings += [result for result in results if isinstance(result, Finding)]
        skips += [result for result in results if isinstance(result, Skip)]
        if not results:
            passed.append(guard.CODE)
    return Report(tuple(findings), tuple(skips), tuple(passed))


def _look(guard: Guard, expected: Evidence, actual: Evidence) -> Iterator[Finding | Skip]:
    sides = (getattr(expected, guard.READS), getattr(actual, guard.READS))
    missing = max((side for side in sides if isinstance(side, Unobserved)), key=_is_required, default=None)
    if missing is not None:
        yield Skip(guard.CODE, missing.reason, missing.required)
    else:
        yield from guard.inspect(*sides)


def _is_required(side: Unobserved) -> bool:
    return side.required
