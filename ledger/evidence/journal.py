"""Evidence on a journal: its lines as they are, and the entries that must be among them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ledger.evidence import Slice


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One line of a journal as it stands. `number` counts from 1.

    `id` is the one that the line states, `digest` the one that its content amounts to, both empty where
    the line is no entry; `problem` then says why not. `canonical`: written as RFC 8785 has it.
    """

    number: int
    id: str
    digest: str
    canonical: bool
    parents: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class TornTail:
    """What a line that was never finished holds: its size, and whether a newline ends it all the same
    (a killed writer leaves none; `whole`: only the newline is missing)."""

    number: int
    size_bytes: int
    ended: bool
    whole: bool = False


@dataclass(frozen=True, slots=True)
class JournalHeads(Slice):
    """Expected of a journal: the entries that must be there, each with who remembers it.

    `elsewhere` maps an id that is not in the file to the git ref whose journal has it, for the ids that
    the current branch never had: another branch's entries are not lost. `merged_twice` holds the ids that
    a git merge doubled.
    """

    ids: Mapping[str, str]
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    merged_twice: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class JournalLines(Slice):
    """The complete lines of one journal in file order, and what follows them if that is no line."""

    NAME: ClassVar = "journal"
    MISSING: ClassVar = "no journal was read"

    lines: tuple[JournalLine, ...]
    torn_tail: TornTail | None = None
