"""One pinned package, whatever file pins it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Pin:
    """One package at one version: a normalized name, `sha256:…` hashes, PEP 508's marker or nothing.

    `url` is where the file is where that is no index's matter.
    """

    name: str
    version: str
    hashes: tuple[str, ...] = ()
    marker: str = ""
    url: str = field(default="", repr=False)
