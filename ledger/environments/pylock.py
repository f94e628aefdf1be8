"""PEP 751's pylock.toml, read as pins. Its indexes are ignored, as in any lockfile.

`packaging.pylock` parses and validates. This module takes from it what building and checking an environment
need: every package at one version, with a SHA-2 hash.
"""

import logging
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.environments.pin import Pin
from ledger.errors import LedgerError

if TYPE_CHECKING:
    from packaging.pylock import Package, Pylock

HASHES = ("sha256", "sha384", "sha512")  # those that both pip and uv check


def parse(path: Path, text: str) -> tuple[tuple[Pin, ...], tuple[str, ...], str]:
    """The pins, the groups installed by default, and the marker of the environments that the file is for.

    Raises LedgerError where it is not a valid pylock.toml, or does not pin every package exactly.
    """
    from packaging.pylock import Pylock, PylockUnsupportedVersionError, PylockValidationError

    logging.getLogger("packaging.pylock").setLevel(logging.ERROR)  # no warning about a newer minor version
    try:
        lock = Pylock.from_dict(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise _malformed(path, f"is not valid TOML: {error}") from error
    except PylockUnsupportedVersionError as error:
        raise LedgerError(f"{path}: {error}", hint="lock it again in version 1.0 of the format") from error
    except PylockValidationError as error:
        raise _malformed(path, f"is not a valid pylock.toml: {error}") from error
    pins = tuple(_pin(path, package) for package in lock.packages)
    return pins, tuple(lock.default_groups or ()), _meant_for(lock)


def _pin(path: Path, package: "Package") -> Pin:
    archive = package.archive
    if package.vcs or package.directory or (archive and not archive.url):
        kind = "a commit" if package.vcs else "a folder" if package.directory else "a file"
        raise _malformed(path, f"takes {package.name} from {kind}, which no hash can verify")
    if package.version is None:
        raise _malformed(path, f"names no version of {package.name}")
    hashes = tuple(_hashes(package))
    if not hashes:
        raise _malformed(path, f"has no SHA-256 of {package.name}")
    conditions = [f"({package.marker})"] if package.marker else []
    if package.requires_python:
        conditions.append(python_marker(str(package.requires_python)))
    url = (archive.url if archive else None) or ""
    return Pin(package.name, str(package.version), hashes, " and ".join(conditions), url)


def _hashes(package: "Package") -> Iterator[str]:
    files = [*(package.wheels or ()), package.sdist, package.archive]
    for file in files:
        if file is not None:
            yield from (f"{kind}:{file.hashes[kind]}" for kind in HASHES if kind in file.hashes)


def _meant_for(lock: "Pylock") -> str:
    parts = [python_marker(str(lock.requires_python))] if lock.requires_python else []
    if lock.environments:
        parts.append("(" + " or ".join(f"({marker})" for marker in lock.environments) + ")")
    return " and ".join(parts)


def python_marker(specifiers: str) -> str:
    """`>=3.11,<4` as a marker."""
    from packaging.specifiers import SpecifierSet

    parts = [f'python_full_version {one.operator} "{one.version}"' for one in SpecifierSet(specifiers)]
    return " and ".join(sorted(parts))


def _malformed(path: Path, problem: str) -> LedgerError:
    return LedgerError(
        f"{path} {problem}",
        hint="lock released packages by version and hash: uv pip compile --format pylock.toml",
    )
