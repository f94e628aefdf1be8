"""The environments that were built on this machine: a list of them, and removing some."""

import shutil
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson

from ledger.errors import LedgerError, UsageError
from ledger.findings import Json
from ledger.utils.times import iso_utc
from runners.environments.manifest import NAME, PARTIAL


@dataclass(frozen=True, slots=True)
class BuiltEnvironment:
    """One folder of the cache; `lockfile` is empty for the remains of a build that was interrupted."""

    folder: Path
    lockfile: str
    python: str
    built: str
    size: int
    """In bytes."""

    def to_json(self) -> dict[str, Json]:
        """The environment as `--json` shows it."""
        return {
            "folder": str(self.folder),
            "lockfile": self.lockfile or None,
            "python": self.python or None,
            "built": self.built,
            "bytes": self.size,
        }


def built_environments(cache: Path) -> list[BuiltEnvironment]:
    """All environments in the cache, and what interrupted builds left, by folder name."""
    folders = sorted(path for path in cache.glob("*") if path.is_dir() and not path.is_symlink())
    return [found for folder in folders if (found := _describe(folder))]


def prune(cache: Path, names: Collection[str], *, dry_run: bool) -> list[BuiltEnvironment]:
    """Remove the environments of these lockfiles or folders, and what interrupted builds left.

    With `dry_run` nothing is removed. Returns what was, or would be, removed. Raises UsageError for a name
    that no environment has, LedgerError for one that is being built or cannot be removed.
    """
    found = built_environments(cache)
    known = {name for one in found for name in (one.lockfile, one.folder.name) if one.lockfile}
    if unknown := [name for name in names if name not in known]:
        raise UsageError(
            f"no environment of {unknown[0]} was built here", hint="list them with: ledger env list"
        )
    chosen = [one for one in found if not one.lockfile or {one.lockfile, one.folder.name} & set(names)]
    for one in [] if dry_run else chosen:
        _remove(one.folder)
    return chosen


def _describe(folder: Path) -> BuiltEnvironment | None:
    try:
        manifest = orjson.loads((folder / NAME).read_bytes())
        lockfile, python = str(manifest["lockfile"]), str(manifest["python"])
    except (OSError, ValueError, KeyError, TypeError):
        if not folder.name.endswith(PARTIAL):
            return None  # not built by this tool
        lockfile = python = ""
    try:
        return BuiltEnvironment(
            folder,
            lockfile,
            python,
            iso_utc(datetime.fromtimestamp(folder.stat().st_mtime, UTC), "seconds"),
            _size(folder),
        )
    except OSError:
        return None  # another process has just removed it


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())


def _remove(folder: Path) -> None:
    """Remove a folder under the lock that a build of it holds."""
    from filelock import FileLock, Timeout

    partial = folder.name.endswith(PARTIAL)  # NAME.RANDOM.partial
    name = folder.name.removesuffix(PARTIAL).rpartition(".")[0] if partial else folder.name
    try:
        with FileLock(folder.with_name(f"{name}.lock"), timeout=0):
            shutil.rmtree(folder)
    except Timeout as error:
        raise LedgerError(f"{folder} is being built", hint="wait for it, then repeat") from error
    except OSError as error:
        raise LedgerError(
            f"{folder} cannot be removed: {error.strerror}", hint="check its permissions"
        ) from error
