"""The shape of a guard, and the operation that runs guards: `inspect(guards, expected, actual) -> Report`.

A guard is a module. It has a stable CODE, a TITLE, an EXPLANATION, the two types of evidence that it READS,
and a pure `inspect(expected, actual)` over values of these types: no I/O, no clock, no heavy import.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from ledger.evidence import Evidence, Slice, Unobserved
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
    EXPLANATION: Explanation

    @property
    def READS(self) -> tuple[type[Slice], type[Slice]]:  # noqa: N802 (a module's constant)
        """The types of the expected and the actual value, as `inspect` takes them."""
        ...

    def inspect(self, expected: Any, actual: Any, /) -> Iterator[Finding | Skip]:
        """Yield what differs or is wrong; a guard that yields nothing has passed."""
        ...


def inspect(guards: Iterable[Guard], expected: Evidence, actual: Evidence) -> Report:
    """Run every guard on the values that it reads. If either value is missing, the guard is skipped."""
    findings: list[Finding] = []
    skips: list[Skip] = []
    passed: list[str] = []
    for guard in guards:
        results = list(_inspect_one(guard, expected, actual))
        findings += [result for result in results if isinstance(result, Finding)]
        skips += [result for result in results if isinstance(result, Skip)]
        if not results:
            passed.append(guard.CODE)
    return Report(tuple(findings), tuple(skips), tuple(passed))


def _inspect_one(guard: Guard, expected: Evidence, actual: Evidence) -> Iterator[Finding | Skip]:
    expected_type, actual_type = guard.READS
    sides = expected.get(expected_type), actual.get(actual_type)
    missing = [side for side in sides if isinstance(side, Unobserved)]
    if None in sides and not missing:
        missing = [Unobserved(actual_type.MISSING)]
    if missing:
        reason = next((side for side in missing if side.required), missing[0])
        yield Skip(guard.CODE, reason.reason, reason.required)
    else:
        yield from guard.inspect(*sides)
