"""Sides from lists of requirements: lockfiles, and requirements.txt with ranges."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from ledger.environments.lockfile import Lockfile, logical_lines
from ledger.errors import LedgerError
from ledger.evidence.environment import EnvironmentSide, Package
from ledger.utils.redaction import scrub_url

UNKNOWN = {
    "machine": "a list of packages names no machine",
    "settings": "a list of packages has no settings; add --effective to see the defaults",
}
_OPTION = re.compile(r"(?P<name>-[a-z]|--[a-z-]+)[= ]?\s*(?P<value>\S*)")
_PER_REQUIREMENT = re.compile(r"\s--(hash|config-settings|global-option)[= ].*$")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9._-]+)")
MOST_NESTED = 10


def side_of_lockfile(lockfile: Lockfile, markers: Mapping[str, str] | None = None) -> EnvironmentSide:
    """The pins of a lockfile for this machine, or for the one with the environment markers `markers`."""
    here = markers or {key: str(value) for key, value in default_environment().items()}
    versions = lockfile.versions(here)
    return EnvironmentSide(
        name=lockfile.path.name,
        kind="lockfile",
        packages={name: Package(version) for name, version in versions.items()},
        torch=_local(versions.get("torch")),
        unknown=UNKNOWN,
    )


def side_of_requirements(path: Path) -> EnvironmentSide:
    """The versions and ranges in a requirements.txt and the files that it includes.

    Raises LedgerError, with the line, for a line that is not a requirement.
    """
    packages = dict(_packages(path, MOST_NESTED))
    if not packages:
        raise LedgerError(f"{path} names no package", hint="is it a requirements file or a lockfile?")
    torch = packages.get("torch")
    return EnvironmentSide(
        name=path.name,
        kind="requirements",
        packages=packages,
        few=True,  # their own requirements are not listed
        torch=_local(torch.version if torch else None),
        unknown=UNKNOWN,
    )


def parse_requirement(text: str) -> tuple[str, Package] | None:
    """The normalized name and the required version; None where its marker excludes it here.

    Raises InvalidRequirement.
    """
    requirement = Requirement(_PER_REQUIREMENT.sub("", text).strip())
    if requirement.marker and not requirement.marker.evaluate():
        return None
    name = canonicalize_name(requirement.name)
    if requirement.url:
        return name, Package(None, origin={"url": scrub_url(requirement.url)})
    pins = [one.version for one in requirement.specifier if one.operator in ("==", "===")]
    exact = len(requirement.specifier) == 1 and pins and not pins[0].endswith(".*")
    return name, Package(pins[0]) if exact else Package(None, str(requirement.specifier))


def _packages(path: Path, depth: int) -> Iterator[tuple[str, Package]]:
    for number, line in logical_lines(_read(path)):
        try:
            if (option := _OPTION.match(line)) is None:
                found = parse_requirement(line)
                yield from [found] if found else []
            elif option["name"] in ("-r", "--requirement") and depth:
                yield from _packages(path.parent / option["value"], depth - 1)
            elif option["name"] in ("-e", "--editable"):
                yield from _editable(option["value"])
        except InvalidRequirement as error:
            raise LedgerError(
                f"{path}, line {number}, is not a requirement: {str(error).splitlines()[0]}",
                hint="write one NAME, NAME==VERSION or NAME>=VERSION on each line",
            ) from error


def _editable(where: str) -> Iterator[tuple[str, Package]]:
    """An editable install, named by its #egg fragment or else by its folder."""
    egg = _EGG.search(where)
    name = egg[1] if egg else Path(where).resolve().name
    yield canonicalize_name(name), Package(None, origin={"url": scrub_url(where), "editable": True})


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise LedgerError(f"{path} is not UTF-8 text", hint="name a requirements file") from error
    except OSError as error:
        raise LedgerError(f"{path} cannot be read: {error.strerror}", hint="check the name") from error


def _local(version: str | None) -> str | None:
    """The local version: `cpu` of 2.13.0+cpu; None without one."""
    return (version or "").partition("+")[2] or None
