"""Evidence on a checkpoint's files, read without loading anything."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ledger.evidence import Slice


@dataclass(frozen=True, slots=True)
class SoundFiles(Slice):
    """Expected of every checkpoint's files: all there and whole, and none that would have to be executed."""


@dataclass(frozen=True, slots=True)
class CheckpointFiles(Slice):
    """The files of the folder, inspected without loading anything.

    `problems`: what is incomplete or truncated, by file; `refusals`: what will not be opened (a pickle that
    `weights_only` does not accept, remote code, a link out of the folder), by file. `conflicts`: weight files
    that contradict those that are loaded; `leftovers`: files that are not loaded and hold other weights.
    """

    NAME: ClassVar = "files"
    MISSING: ClassVar = "no checkpoint was given"

    path: str
    format: str
    bytes: int
    problems: Mapping[str, str] = field(default_factory=dict)
    refusals: Mapping[str, str] = field(default_factory=dict)
    conflicts: Mapping[str, str] = field(default_factory=dict)
    leftovers: Mapping[str, str] = field(default_factory=dict)
