"""The distance between installed and pinned versions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ledger.environments.versions import Distance, distance
from ledger.findings import Json


@dataclass(frozen=True, slots=True)
class Drift:
    """One package that differs from its pin. `installed` is None if it is missing."""

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
    """The pinned packages that are missing or have another version, worst first, then by name."""
    return sorted(_drifts(pinned, installed), key=lambda drift: (drift.distance, drift.name))


def _drifts(pinned: Mapping[str, str], installed: Mapping[str, str]) -> Iterator[Drift]:
    for name, version in pinned.items():
        found = installed.get(name)
        if found is None:
            yield Drift(name, version, None, Distance.MISSING)
        elif (far := distance(version, found)) is not None:
            yield Drift(name, version, found, far)
