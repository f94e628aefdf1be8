"""One pinned package, whatever the format of the lockfile."""

from dataclasses import dataclass, field

# How the path of a lockfile ends; any other text is the name of an environment.
SUFFIXES = (".txt", ".toml", ".lock", ".json", ".yml", ".yaml")


@dataclass(frozen=True, slots=True)
class Pin:
    """One package at one version: normalized name, `sha256:…` hashes, and the PEP 508 marker, if any.

    `url` is the address of the file, for a package that comes from no index.
    """

    name: str
    version: str
    hashes: tuple[str, ...] = ()
    marker: str = ""
    url: str = field(default="", repr=False)
