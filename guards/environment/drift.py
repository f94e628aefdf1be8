"""How far an installed version is from a pinned one: pure functions of this family."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from packaging.version import InvalidVersion, Version

from ledger.findings import Json


class Distance(IntEnum):
    """What differs first between two versions, worst first."""

    MISSING = 0
    MAJOR = 1
    MINOR = 2
    PATCH = 3
    RELEASE = 4  # the same numbers: a pre-, post- or development release
    BUILD = 5  # the same release: another local version, such as +cpu

    @property
    def label(self) -> str:
        """The name used in JSON."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Drift:
    """One package that is not as pinned. `installed` is None where it is missing."""

    name: str
    pinned: str
    installed: str | None
    distance: Distance

    def __str__(self) -> str:
        found = self.installed or "missing"
        note = " (another build)" if self.distance is Distance.BUILD else ""
        return f"{self.name} {self.pinned} -> {found}{note}"

    def to_json(self) -> dict[str, Json]:
        """The package and both versions, as evidence."""
        return {
            "name": self.name,
            "pinned": self.pinned,
            "installed": self.installed,
            "distance": self.distance.label,
        }


def drifts(pinned: Mapping[str, str], installed: Mapping[str, str]) -> list[Drift]:
    """The pinned packages that are missing or of another version, worst first, then by name."""
    return sorted(_drifts(pinned, installed), key=lambda drift: (drift.distance, drift.name))


def distance(pinned: str, installed: str) -> Distance | None:
    """What differs first; None where the two are the same version (1.0 is 1.0.0, 1.0+cpu is not 1.0)."""
    try:
        old, new = Version(pinned), Version(installed)
    except InvalidVersion:
        # Not comparable, so as bad as can be; only the very same text is the same.
        return None if pinned == installed else Distance.MAJOR
    if old == new:
        return None
    if (old.epoch, old.major) != (new.epoch, new.major):
        return Distance.MAJOR
    if old.minor != new.minor:
        return Distance.MINOR
    if _patch(old) != _patch(new):
        return Distance.PATCH
    return Distance.BUILD if old.public == new.public else Distance.RELEASE


def _drifts(pinned: Mapping[str, str], installed: Mapping[str, str]) -> Iterator[Drift]:
    for name, version in pinned.items():
        found = installed.get(name)
        if found is None:
            yield Drift(name, version, None, Distance.MISSING)
        elif (far := distance(version, found)) is not None:
            yield Drift(name, version, found, far)


def _patch(version: Version) -> tuple[int, ...]:
    """Every number after the second, without trailing zeros."""
    rest = list(version.release[2:])
    while rest and rest[-1] == 0:
        rest.pop()
    return tuple(rest)
