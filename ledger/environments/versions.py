"""How far apart two versions of one package are, by PEP 440."""

from enum import IntEnum

from packaging.version import InvalidVersion, Version


class Distance(IntEnum):
    """The most significant part in which two versions differ, most significant first."""

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
    """The most significant difference; None for equal versions (1.0 equals 1.0.0, 1.0+cpu is not 1.0)."""
    try:
        old, new = Version(before), Version(after)
    except InvalidVersion:
        # Not comparable, so the worst is assumed unless the text is identical.
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
