"""One side of a comparison: everything that is known about an environment and what ran in it. Values only.

A part that is not known is None, and `unknown` has the reason: a lockfile has no machine, a folder that
somebody sent has no packages.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from ledger.evidence import Slice
from ledger.findings import Json

Kind = Literal["interpreter", "lockfile", "requirements", "run", "verification", "wandb", "folder"]


@dataclass(frozen=True, slots=True)
class Package:
    """One distribution. `version` is None if only a range is known, which is then in `wanted` (PEP 440).

    `origin` is the direct URL of PEP 610, for a package that is not from an index; `changed` are the files
    that differ from its wheel; `files` is the digest over all files of the wheel, `hashes` are those of the
    files that a list allows. `marker` is the condition (PEP 508) of a package that does not apply here.
    `build` is conda's build string.
    """

    version: str | None
    wanted: str = ""
    origin: Mapping[str, Json] = field(default_factory=dict)
    changed: tuple[str, ...] = ()
    files: str | None = None
    extras: tuple[str, ...] = ()
    hashes: frozenset[str] = field(default=frozenset(), compare=False)
    marker: str = ""
    build: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class EnvironmentSide(Slice):
    """An environment, as far as it is known from its source.

    `packages` are by normalized name; `whole`: the list is complete, as an interpreter's is and a list of
    pins is not; `few`: only some packages are known. `imported`: those that the worker imported. `python`
    is a version, `torch` its build (`cpu`, `cu130`, `cuda 13.0`). `machine` has the facts that can change
    a result, `reported` those that cannot. `settings` is the effective configuration by section (training,
    model, generation, tokenizer …), or under `config` if the source has no sections; `partial`: only the
    settings that were written down, without the defaults. `options` are a list's options for pip, where files
    without hashes depend on them; `unread` says what in the source is not understood. `chosen` has the
    settings of the spec, by dotted name. `inputs` are the other inputs: code, data, spec.
    """

    NAME: ClassVar = "surroundings"
    MISSING: ClassVar = "no environments were compared"

    name: str
    kind: Kind
    packages: Mapping[str, Package] | None = None
    whole: bool = False
    few: bool = False
    imported: frozenset[str] | None = None
    python: str | None = None
    torch: str | None = None
    machine: Mapping[str, Json] | None = None
    reported: Mapping[str, Json] = field(default_factory=dict)
    settings: Mapping[str, Json] | None = None
    partial: bool = False
    options: tuple[str, ...] | None = None
    unread: tuple[str, ...] = ()
    chosen: Mapping[str, Json] = field(default_factory=dict)
    inputs: Mapping[str, Json] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)

    def why_unknown(self, part: str) -> str:
        """Why a part is None, after the side's name."""
        return f"{self.name}: {self.unknown.get(part, f'a {self.kind} does not record its {part}')}"

    def knows(self, part: str) -> bool:
        """Whether a part is known; `machine` includes the versions of Python and torch."""
        fields = ("python", "torch", "machine") if part == "machine" else (part,)
        return any(getattr(self, name) is not None for name in fields)


@dataclass(frozen=True, slots=True)
class Pins(Slice):
    """Expected packages: name (normalized) to exact version, as one lockfile pins them."""

    lockfile: str
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Installed(Slice):
    """Installed packages: normalized name to version; `altered` are those whose files differ from
    their wheel, or that are editable or from a direct URL."""

    NAME: ClassVar = "packages"
    MISSING: ClassVar = "the spec names no lockfile"

    python: str
    versions: Mapping[str, str]
    altered: tuple[str, ...] = ()
