"""Conversion of JSON values."""

from ledger.findings import Json


def to_number(value: Json) -> float | None:
    """A JSON number as a float; None for anything else, booleans, and integers too large for a float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None
