"""One suspect: a difference between two sides, and what kind of difference it is. Values only."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Literal

from ledger.findings import Json

Choice = Literal["overridden", "chosen", ""]


class Kind(StrEnum):
    """What a suspect is, in the order of the ranking."""

    PACKAGE = "package"
    PYTHON = "python"
    CUDA = "cuda"
    MACHINE = "machine"
    SETTING = "setting"


class Change(IntEnum):
    """How a package differs, the most suspicious first."""

    MAJOR = 0
    RANGE = 1  # the version is not one of those that the other side asks for
    MINOR = 2
    PATCH = 3
    RELEASE = 4
    ADDED = 5
    REMOVED = 6
    BUILD = 7
    ORIGIN = 8  # editable, or from another address
    ALTERED = 9  # the same version, with other files
    OTHER = 10

    @property
    def label(self) -> str:
        """The name used in JSON and in the table."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Suspect:
    """One difference. `before` and `after` are None if a side does not have it.

    `imported` is None if it is unknown, or if the difference is not a package. `chosen`: a spec sets it, or
    it differs from its spec. `hard`: it can change results, and a lockfile or a spec could have fixed it.
    """

    kind: Kind
    name: str
    before: Json
    after: Json
    change: Change = Change.OTHER
    imported: bool | None = None
    chosen: Choice = ""
    hard: bool = True

    def to_json(self) -> dict[str, Json]:
        """The suspect as `--json` shows it."""
        return {
            "kind": str(self.kind),
            "name": self.name,
            "before": self.before,
            "after": self.after,
            "change": self.change.label,
            "imported": self.imported,
            "chosen": self.chosen,
            "hard": self.hard,
        }
