"""Conversion of JSON values."""

import math

from ledger.findings import Json


def to_number(value: Json) -> float | None:
    """A JSON number as a float; None for anything else, booleans, and integers too large for a float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def finite_or_name(value: float) -> float | str:
    """The number, or `nan`, `inf` or `-inf`, which JSON does not have as numbers."""
    return value if math.isfinite(value) else str(value)


def to_metric(value: Json) -> float | None:
    """A logged value as a number: also NaN and infinity where a tool wrote them as text; None for the rest.

    >>> to_metric("NaN"), to_metric("-Infinity"), to_metric("0.5")
    (nan, -inf, None)
    """
    if isinstance(value, str):
        return float(value) if value.strip().lower().lstrip("+-") in _NOT_FINITE else None
    return to_number(value)


_NOT_FINITE = ("nan", "inf", "infinity")
