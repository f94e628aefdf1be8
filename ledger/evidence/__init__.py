"""Evidence: what was expected and what is there, as the values that guards read.

Each kind of evidence is a dataclass that derives from `Slice`, in the module of its family. To add one, write
the dataclass: `Evidence` finds values by their type.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self, TypeVar

T = TypeVar("T", bound="Slice")


class Slice:
    """Base of every value that a guard reads.

    `NAME` is what `ledger explain --json` calls the slice, `MISSING` the reason of the skip if it was not
    collected; both belong to the type of the actual side.
    """

    __slots__ = ()
    NAME: ClassVar[str] = ""
    MISSING: ClassVar[str] = ""


@dataclass(frozen=True, slots=True)
class Unobserved:
    """Why a value could not be collected, so that "could not check" becomes a skip, never a pass.

    `required`: the command was asked for exactly this, so without it the verdict is inconclusive.
    """

    reason: str
    required: bool = False


class Evidence:
    """One side of an inspection, expected or actual: at most one value of each type."""

    __slots__ = ("_values",)

    def __init__(self, *values: Slice) -> None:
        self._values: Mapping[type[Slice], Slice | Unobserved] = {type(value): value for value in values}

    def including(self, kind: type[T], value: T | Unobserved) -> Self:
        """The same evidence with a value that may be Unobserved."""
        new = type(self)()
        new._values = {**self._values, kind: value}
        return new

    def get(self, kind: type[T]) -> T | Unobserved | None:
        """The value of a type, the reason why it is missing, or None where neither was given."""
        value = self._values.get(kind)
        assert value is None or isinstance(value, (kind, Unobserved))
        return value
