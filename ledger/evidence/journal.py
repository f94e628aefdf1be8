"""Evidence on a journal: its lines, and the entries that must be among them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ledger.evidence import Slice


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One line of a journal. `number` counts from 1.

    `id` is the id in the line, `digest` that of its content, both empty if the line is not an entry; then
    `problem` says why not. `canonical`: serialized as RFC 8785 specifies. `malformed` names a member of the
    body that no ledger writes so.
    """

    number: int
    id: str
    digest: str
    canonical: bool
    parents: tuple[str, ...] = ()
    problem: str = ""
    malformed: str = ""


@dataclass(frozen=True, slots=True)
class TornTail:
    """An incomplete last line: its size, and whether it ends with a newline (a killed writer leaves none).

    `whole`: only the newline is missing.
    """

    number: int
    size_bytes: int
    ended: bool
    whole: bool = False


@dataclass(frozen=True, slots=True)
class JournalHeads(Slice):
    """Expected of a journal: the entries that must be in it, each with the place that names it.

    `elsewhere` maps an id that is not in the file to the git ref whose journal has it, for the ids that
    the current branch never had: entries of another branch are not lost. `merged_twice` are the ids that
    a git merge duplicated. `unread` says why git could not be asked; empty where it was.
    """

    ids: Mapping[str, str]
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    merged_twice: frozenset[str] = frozenset()
    unread: str = ""


@dataclass(frozen=True, slots=True)
class JournalLines(Slice):
    """The complete lines of one journal in file order, and the incomplete line after them, if any."""

    NAME: ClassVar = "journal"
    MISSING: ClassVar = "no journal was read"

    lines: tuple[JournalLine, ...]
    torn_tail: TornTail | None = None
