"""Sides from lists of packages: lockfiles, and the lists that pip, conda and others write."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from packaging.markers import Marker, UndefinedComparison, UndefinedEnvironmentName, default_environment

from ledger.environments.conda import torch_build
from ledger.environments.lockfile import Lockfile
from ledger.environments.package_lists import read_list
from ledger.environments.requirements import Listed
from ledger.errors import LedgerError
from ledger.evidence.environment import EnvironmentSide, Package

UNKNOWN = {
    "machine": "a list of packages names no machine",
    "settings": "a list of packages has no settings; add --effective to see the defaults",
}


def side_of_lockfile(lockfile: Lockfile, markers: Mapping[str, str] | None = None) -> EnvironmentSide:
    """The pins of a lockfile for this machine, or for the one with the environment markers `markers`."""
    here = markers or {key: str(value) for key, value in default_environment().items()}
    applying = {id(pin) for pin in lockfile.applying(here)}
    packages = {
        pin.name if id(pin) in applying else f"{pin.name} ; {pin.marker}": Package(
            pin.version,
            hashes=frozenset(pin.hashes),
            marker="" if id(pin) in applying else pin.marker,
        )
        for pin in lockfile.pins
    }
    torch = packages.get("torch")
    return EnvironmentSide(
        name=lockfile.path.name,
        kind="lockfile",
        packages=packages,
        torch=_local(torch.version if torch else None),
        options=_options(packages, lockfile.options),
        unknown=UNKNOWN,
    )


def side_of_requirements(path: Path) -> EnvironmentSide:
    """The versions, ranges and places in a list of packages of any kind, and in the files that it includes.

    Raises LedgerError where there is none of them in it.
    """
    found = read_list(path)
    packages: dict[str, Package] = {}
    unread = [*found.unread]
    for one in found.listed:
        key, package = _placed(one)
        unread += _add(packages, key, package)
    for one in found.constraints:
        key, package = _placed(one)
        if not packages.get(key, Package(None)).version:
            _add(packages, key, package)
    if not packages:
        hint = "is it a requirements file or a lockfile? `pip freeze` writes one"
        why = f"{path}, {unread[0]}" if unread else f"{path} names no package"
        raise LedgerError(why, hint=hint)
    torch = packages.get("torch")
    return EnvironmentSide(
        name=path.name,
        kind="requirements",
        packages=packages,
        # Where a version is left open, their own requirements are not listed.
        few=not all(one.version or one.origin for one in packages.values()),
        whole=found.whole,
        python=found.python,
        torch=(_local(torch.version) or torch_build(torch.build)) if torch else None,
        options=_options(packages, sorted(found.options)),
        unread=tuple(unread),
        unknown=UNKNOWN,
    )


def _placed(one: Listed) -> tuple[str, Package]:
    """The key and the package; a package that does not apply here has its marker in both."""
    if not one.marker or _applies(one.marker):
        return one.name, one.package
    return f"{one.name} ; {one.marker}", replace(one.package, marker=one.marker)


def _applies(marker: str) -> bool:
    try:
        return Marker(marker).evaluate({"extra": ""})
    except (UndefinedComparison, UndefinedEnvironmentName):
        return False


def _add(packages: dict[str, Package], key: str, package: Package) -> Sequence[str]:
    """Add a package, or what another line says about it; returns a sentence where the two contradict."""
    old = packages.setdefault(key, package)
    if old == package:
        return ()
    if not old.version and not old.origin:
        wanted = ",".join(filter(None, (old.wanted, package.wanted)))
        packages[key] = package if package.version or package.origin else replace(old, wanted=wanted)
        return ()
    if package.version in (None, old.version) and not package.origin:
        return ()
    return (f"{key} is listed twice, with different versions or places",)


def _options(packages: Mapping[str, Package], options: Iterable[str]) -> tuple[str, ...] | None:
    """pip's options; None where every file is identified by a hash, wherever it comes from."""
    return None if all(one.hashes for one in packages.values()) else tuple(options)


def _local(version: str | None) -> str | None:
    """The local version: `cpu` of 2.13.0+cpu; None without one."""
    return (version or "").partition("+")[2] or None
