"""How far apart two versions of one package are, as PEP 440 reads them. Pure."""

from enum import IntEnum

from packaging.version import InvalidVersion, Version


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


def distance(before: str, after: str) -> Distance | None:
    """What differs first; None where the two are the same version (1.0 is 1.0.0, 1.0+cpu is not 1.0)."""
    try:
        old, new = Version(before), Version(after)
    except InvalidVersion:
        # Not comparable, so as bad as can be; only the very same text is the same.
        return None if before == after else Distance.MAJOR
    if old == new:
        return None
    if (old.epoch, old.major) != (new.epoch, new.major):
        return Distance.MAJOR
    if old.minor != new.minor:
        return Distance.MINOR
    if _patch(old) != _patch(new):
        return Distance.PATCH
    return Distance.BUILD if old.public == new.public else Distance.RELEASE


def _patch(version: Version) -> tuple[int, ...]:
    """Every number after the second, without trailing zeros."""
    rest = list(version.release[2:])
    while rest and rest[-1] == 0:
        rest.pop()
    return tuple(rest)
