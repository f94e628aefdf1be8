"""Some lines of an output with their sources and references."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guards.text.measures.fingerprints import Prints


@dataclass(frozen=True, slots=True)
class Chunk:
    """Lines of a text, or all of it. `sources` and `references` are None, or as long as `outputs`.

    `prints` are the fingerprints of outputs and sources, where they are known already.
    """

    outputs: Sequence[str]
    sources: Sequence[str] | None
    references: Sequence[str] | None = None
    prints: "tuple[Prints, Prints] | None" = None

    def source(self, index: int) -> str | None:
        """The source of one line, if there is a source."""
        return None if self.sources is None else self.sources[index]
