"""Preflight evidence: the requirements of a run on tokenizer, disk, repository and model, and their state."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ledger.evidence import Slice


@dataclass(frozen=True, slots=True)
class LanguageCodes(Slice):
    """The language codes of a spec; None if the model family has none."""

    source: str | None
    target: str | None


@dataclass(frozen=True, slots=True)
class CodeProbe:
    """One code in a tokenizer. `round_trips`: a sentence with the code survives encoding and decoding."""

    code: str
    known: bool
    token_id: int | None
    is_unk: bool
    round_trips: bool | None = None


@dataclass(frozen=True, slots=True)
class TokenizerProbe(Slice):
    """The spec's codes in the experiment's tokenizer, by role (`source`, `target`).

    `uncoded` are the roles for which its family has no code, but for example words before the text; `chosen`
    are the codes that the model is given where the spec names none.
    """

    NAME: ClassVar = "languages"
    MISSING: ClassVar = "the tokenizer was not loaded"

    tokenizer: str
    known_codes: tuple[str, ...]
    codes: Mapping[str, CodeProbe]
    uncoded: tuple[str, ...] = ()
    chosen: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CachedModel:
    """One model in the Hugging Face cache, with the bytes that deleting it would free."""

    name: str
    size_bytes: int
    last_used: str


@dataclass(frozen=True, slots=True)
class DiskNeed(Slice):
    """Bytes that a run will write (model download and outputs), and how that was estimated."""

    needed_bytes: int
    how: str


@dataclass(frozen=True, slots=True)
class DiskSpace(Slice):
    """The free space of this user at `path`: that of the file system, or the rest of the quota if smaller."""

    NAME: ClassVar = "disk"
    MISSING: ClassVar = "free space was not read"

    path: str
    free_bytes: int
    quota_free_bytes: int | None = None
    freeable: tuple[CachedModel, ...] = ()


@dataclass(frozen=True, slots=True)
class GitExpectation(Slice):
    """`clean`: the spec refuses to run with uncommitted changes."""

    clean: bool


@dataclass(frozen=True, slots=True)
class GitState(Slice):
    """The work tree: commit, branch, and the changed paths without the journal.

    `unread` says why there is none of these: no repository, or one that git cannot read.
    """

    NAME: ClassVar = "git"
    MISSING: ClassVar = "git was not read"

    commit: str | None
    branch: str | None
    changed: tuple[str, ...] = ()
    unread: str = ""


@dataclass(frozen=True, slots=True)
class ModelUse(Slice):
    """The model of a spec, and its task."""

    task: str
    model: str


@dataclass(frozen=True, slots=True)
class ModelKind(Slice):
    """What is known about a model from its name: `pretrained_only` models were never trained to translate."""

    NAME: ClassVar = "model"
    MISSING: ClassVar = "no model is named"

    model: str
    pretrained_only: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class HeldOutText(Slice):
    """The text that a training must not learn from: its source file, and its lines."""

    path: str
    lines: int


@dataclass(frozen=True, slots=True)
class LeakedLines(Slice):
    """Held-out lines that are in the training text, each counted as the first kind that applies.

    `exact`: source and target, as they are; `near`: both, by their letters alone; `source`, `target`: only
    that side, as it is. `long_pairs` are those of the first two kinds, `long_sources` those of the third,
    with enough letters to be no coincidence. `examples` are line numbers, from 1: held out, and in training.
    """

    NAME: ClassVar = "leaks"
    MISSING: ClassVar = "the training text was not compared with the validation text"

    exact: int = 0
    near: int = 0
    source: int = 0
    target: int = 0
    long_pairs: int = 0
    long_sources: int = 0
    examples: tuple[tuple[int, int], ...] = ()

    @property
    def count(self) -> int:
        """All leaked lines."""
        return self.exact + self.near + self.source + self.target
