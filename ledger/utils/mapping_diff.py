"""The differences between two nested mappings, leaf by leaf."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ledger.findings import Json
from ledger.utils.plural import and_more
from ledger.utils.text import shorten


@dataclass(frozen=True, slots=True)
class Difference:
    """One field, by its dotted path, with both values; None if it is not set on that side."""

    path: str
    before: Json
    after: Json

    def __str__(self) -> str:
        return f"{self.path} ({_show(self.before)} -> {_show(self.after)})"

    def to_json(self) -> dict[str, Json]:
        """The field and both values, as evidence."""
        return {"field": self.path, "before": self.before, "after": self.after}


def differences(
    before: Mapping[str, Json], after: Mapping[str, Json], prefix: str = ""
) -> Iterator[Difference]:
    """Every leaf that differs, sorted by path.

    Lists are leaves. None equals a missing field, 2 equals 2.0, and 1 does not equal True.
    """
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        if isinstance(old, Mapping) or isinstance(new, Mapping):
            yield from _nested(f"{prefix}{key}", old, new)
        elif old != new or isinstance(old, bool) is not isinstance(new, bool):
            yield Difference(f"{prefix}{key}", old, new)


def _nested(path: str, old: Json, new: Json) -> Iterator[Difference]:
    sides = [{} if side is None else side for side in (old, new)]
    if all(isinstance(side, Mapping) for side in sides):
        yield from differences(sides[0], sides[1], f"{path}.")
    else:
        yield Difference(path, old, new)


def listed(items: Sequence[Difference], most: int = 3) -> str:
    """The first differences in one phrase, and the number of the others."""
    return and_more([str(item) for item in items], most)


def _show(value: Json) -> str:
    return "unset" if value is None else shorten(str(value), 40)
