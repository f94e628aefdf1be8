"""Times as the ledger writes them: UTC, ISO 8601, ending in Z."""

from datetime import UTC, datetime


def utc_now() -> str:
    """The time now, to the millisecond: `2026-11-28T01:57:46.120Z`."""
    return iso_utc(datetime.now(UTC))


def iso_utc(when: datetime, timespec: str = "milliseconds") -> str:
    """An aware `datetime` in UTC; `timespec` is the precision, as `datetime.isoformat` takes it."""
    return when.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
