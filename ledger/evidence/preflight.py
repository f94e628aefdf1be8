"""Evidence of preflight: what a run needs of its tokenizer, disk, repository and model, and what there is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ledger.evidence import Slice


@dataclass(frozen=True, slots=True)
class LanguageCodes(Slice):
    """The codes that a spec asks for; None where the family has none."""

    source: str | None
    target: str | None


@dataclass(frozen=True, slots=True)
class CodeProbe:
    """What a tokenizer makes of one code. `round_trips`: a probe sentence tagged with the code comes back."""

    code: str
    known: bool
    token_id: int | None
    is_unk: bool
    round_trips: bool | None = None


@dataclass(frozen=True, slots=True)
class TokenizerProbe(Slice):
    """What the experiment's tokenizer says of the spec's codes, by role (`source`, `target`).

    `uncoded` are the roles that its family tells otherwise than by a code, such as by words before the text.
    """

    NAME: ClassVar = "languages"
    MISSING: ClassVar = "the tokenizer was not loaded"

    tokenizer: str
    known_codes: tuple[str, ...]
    codes: Mapping[str, CodeProbe]
    uncoded: tuple[str, ...] = ()


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
    """What is free for this user at `path`: the file system's free space, or the quota's rest if smaller."""

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
    """The working tree: commit, branch, and the changed paths, the journal left out."""

    NAME: ClassVar = "git"
    MISSING: ClassVar = "not a git repository"

    commit: str | None
    branch: str | None
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelUse(Slice):
    """What a spec wants of a model."""

    task: str
    model: str


@dataclass(frozen=True, slots=True)
class ModelKind(Slice):
    """What is known of a model by its name: `pretrained_only` models were never trained to translate."""

    NAME: ClassVar = "model"
    MISSING: ClassVar = "no model is named"

    model: str
    pretrained_only: bool
    why: str = ""
