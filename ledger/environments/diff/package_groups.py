"""The groups of packages that can only be reverted together, by the distributions' own requirements."""

from collections.abc import Iterator, Mapping, Sequence

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion

# Name to version of the installed packages.
Versions = Mapping[str, str]
# (name, version) to the lines of Requires-Dist in that distribution's METADATA.
Requires = Mapping[tuple[str, str], Sequence[str]]


def changed(before: Versions, after: Versions) -> frozenset[str]:
    """The packages that only one side has, or that differ in version."""
    return frozenset(name for name in {*before, *after} if before.get(name) != after.get(name))


def groups(before: Versions, after: Versions, requires: Requires) -> list[frozenset[str]]:
    """The changed packages in groups, the largest first.

    Each can be reverted to `before` while the others stay as in `after`, with the requirements of every
    distribution still met. Overlapping groups are merged.
    """
    found: list[frozenset[str]] = []
    for name in sorted(changed(before, after)):
        group = _reverted_with(name, before, after, requires)
        apart = [one for one in found if not one & group]
        found = [*apart, group.union(*(one for one in found if one & group))]
    return sorted(found, key=lambda group: (-len(group), sorted(group)))


def mixed(group: frozenset[str], before: Versions, after: Versions) -> dict[str, str]:
    """All versions, with the packages of `group` as before and the others as after."""
    others = {name: version for name, version in after.items() if name not in group}
    return others | {name: before[name] for name in group if name in before}


def _reverted_with(name: str, before: Versions, after: Versions, requires: Requires) -> frozenset[str]:
    group = {name}
    movable = changed(before, after)
    while True:
        needed = set(_needed(frozenset(group), mixed(frozenset(group), before, after), requires))
        if not (needed & movable) - group:
            return frozenset(group)
        group |= needed & movable


def _needed(group: frozenset[str], versions: Versions, requires: Requires) -> Iterator[str]:
    """Both packages of each requirement that `versions` does not meet, where one of them is in the group."""
    for name, version in versions.items():
        for wanted in _requirements(requires.get((name, version), ())):
            other = canonicalize_name(wanted.name)
            if {name, other} & group and not _is_met(wanted, versions.get(other)):
                yield from (name, other)


def _requirements(lines: Sequence[str]) -> Iterator[Requirement]:
    """The requirements that apply here without extras; invalid lines are ignored, as pip does."""
    for line in lines:
        try:
            wanted = Requirement(line)
        except InvalidRequirement:
            continue
        if wanted.marker is None or wanted.marker.evaluate({"extra": ""}):
            yield wanted


def _is_met(wanted: Requirement, version: str | None) -> bool:
    try:
        return version is not None and wanted.specifier.contains(version, prereleases=True)
    except InvalidVersion:
        return True  # not comparable: assumed to be met
