"""Evidence on an output text: the lines that each text rule flagged, and the rates that are allowed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ledger.evidence import Slice


@dataclass(frozen=True, slots=True)
class LineSample:
    """One line that a text guard flagged. `number` counts from 1."""

    number: int
    output: str
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Flagged:
    """The lines that one text rule flagged: their number, and the worst few.

    `judged` is the number of lines that the rule looked at, if it drew a sample of them.
    """

    count: int
    worst: tuple[LineSample, ...] = ()
    judged: int | None = None


@dataclass(frozen=True, slots=True)
class TextLimits(Slice):
    """Expected of a text: the highest rate (0-1) of flagged lines that is allowed, by guard code."""

    max_rate: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class TextEvidence(Slice):
    """The result of one pass over an output. A rule whose code is missing from `flagged` was not applied;
    `unseen` gives the reason, by code."""

    NAME: ClassVar = "text"
    MISSING: ClassVar = "no output text was given"

    lines: int
    flagged: Mapping[str, Flagged]
    unseen: Mapping[str, str] = field(default_factory=dict)

    @property
    def rates(self) -> dict[str, float]:
        """The share of lines (0-1) that each rule flagged, of those that it judged; none without lines."""
        if not self.lines:
            return {}
        return {
            code: flagged.count / (flagged.judged or self.lines)
            for code, flagged in sorted(self.flagged.items())
        }
