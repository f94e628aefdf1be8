"""Where two nested mappings differ, leaf by leaf. Pure; whether it matters is for those who ask."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ledger.findings import Json
from ledger.utils.plural import and_more
from ledger.utils.text import shorten


@dataclass(frozen=True, slots=True)
class Difference:
    """One field, by its dotted path, with both values; None on a side where it is not set."""

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
    """Every leaf that differs, in sorted order of the paths.

    Lists are leaves; a field that is None is as one that is not there; 2 equals 2.0, and 1 is not True.
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
    """The first few differences in one phrase, and how many more there are."""
    return and_more([str(item) for item in items], most)


def _show(value: Json) -> str:
    return "unset" if value is None else shorten(str(value), 40)
