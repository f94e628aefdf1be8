"""One side of a comparison: everything that is known of an environment and of what ran in it. Values only.

What a kind of side cannot tell is None, and `unknown` says why: a lockfile has no machine, a folder that
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
    """One distribution. `version` is None where only a range is known, which `wanted` then has (PEP 440).

    `origin` is PEP 610's, where it came from no index; `changed` are files that are not as its wheel brought
    them; `files` is the digest over all of the wheel's own.
    """

    version: str | None
    wanted: str = ""
    origin: Mapping[str, Json] = field(default_factory=dict)
    changed: tuple[str, ...] = ()
    files: str | None = None


@dataclass(frozen=True, slots=True)
class EnvironmentSide(Slice):
    """An environment as far as its source tells.

    `packages` by normalized name; `whole`: nothing else was installed, as an interpreter can say and a list
    of pins can not; `few`: only those are known, whatever else there was. `imported`: what the worker really
    imported. `python` is a version, `torch` its build (`cpu`, `cu130`, `cuda 13.0`). `machine` has the facts
    that can change a result, `reported` those that cannot. `settings` is the effective configuration by
    section (training, model, generation, tokenizer …), or under `config` where the source does not tell
    sections apart; `partial`: only what was written down, without the defaults. `chosen` has what a
    spec sets, by dotted name. `inputs` is what went in beside the environment: code, data, spec.
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
    chosen: Mapping[str, Json] = field(default_factory=dict)
    inputs: Mapping[str, Json] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)

    def why_unknown(self, part: str) -> str:
        """Why a part is None, in words that follow the side's name."""
        return f"{self.name}: {self.unknown.get(part, f'a {self.kind} does not tell its {part}')}"


@dataclass(frozen=True, slots=True)
class Pins(Slice):
    """Expected packages: name (normalized) to exact version, as one lockfile pins them."""

    lockfile: str
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Installed(Slice):
    """Packages found: name (normalized) to version; `altered` names those whose files or origin are not
    the wheel's own (editable, direct URL)."""

    NAME: ClassVar = "packages"
    MISSING: ClassVar = "no lockfile is named"

    python: str
    versions: Mapping[str, str]
    altered: tuple[str, ...] = ()
