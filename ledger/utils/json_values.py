"""Values as JSON has them."""

from ledger.findings import Json


def to_number(value: Json) -> float | None:
    """A JSON value as a number; None for anything else, true and false and more digits than a float has."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None
