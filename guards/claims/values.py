"""Whether two statements agree, to the precision in which they are written."""

import re
from collections.abc import Iterable, Iterator

from ledger.evidence.imported_claims import Statement, WrittenLog

_DECIMALS = re.compile(r"\d(?:\.(\d+))?\s*[%％]")


def same(a: Statement, b: Statement) -> bool:
    """Whether the two values agree: rates to the coarser rounding, names in part, other numbers exactly."""
    if a.value is None or b.value is None:
        return True  # one was left at its default, which may be the other's value
    if isinstance(a.value, str) or isinstance(b.value, str):
        return _alike(str(a.value), str(b.value))
    if a.value == b.value:
        return True
    rounding = max(_rounding(a), _rounding(b)) if a.kind == "rate" else 0.0
    return bool(abs(a.value - b.value) <= rounding + 1e-9 * max(abs(a.value), abs(b.value)))


def misplaced(log: WrittenLog) -> Iterator[tuple[Statement, Statement, Statement]]:
    """Rates in a table that are stated elsewhere for another quantity of the same experiment.

    Yields the table's statement, the statement elsewhere of the quantity that the column names, and the
    statement of the other quantity with the table's value. All three must exist: two equal values may be a
    coincidence.
    """
    rates = [one for one in log.statements if one.kind == "rate"]
    for cell in rates:
        if not cell.column or not cell.value:
            continue
        elsewhere = [one for one in rates if one.experiment == cell.experiment and not one.column]
        own = [one for one in elsewhere if one.key == cell.key]
        others = [one for one in elsewhere if one.key != cell.key and same(one, cell)]
        if others and own and not any(same(one, cell) for one in own):
            yield cell, own[0], others[0]


def by_key(statements: Iterable[Statement]) -> dict[tuple[str, str, str], list[Statement]]:
    """Statements grouped by experiment, scope and key."""
    found: dict[tuple[str, str, str], list[Statement]] = {}
    for one in statements:
        found.setdefault((one.experiment, one.scope, one.key), []).append(one)
    return found


def _rounding(one: Statement) -> float:
    match = _DECIMALS.search(one.text)
    return 0.5 * 10.0 ** -(len(match[1] or "") + 2) if match else 0.0


def _alike(a: str, b: str) -> bool:
    """Whether two names are the same: `org/name` and `Name`, or a name and a longer form of it."""
    one, other = (re.sub(r"[\W_]+", "", text.rsplit("/", 1)[-1].casefold()) for text in (a, b))
    return one in other or other in one
