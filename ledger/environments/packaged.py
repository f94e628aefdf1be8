"""The lockfiles that this package brings along, and putting them into a repository."""

from pathlib import Path

from ledger.environments.lockfile import VARIANTS, names
from ledger.errors import UsageError

DEFAULT = "mt-4.57.6"


def packaged_lockfiles() -> Path:
    """The folder of the lockfiles that are installed with this package."""
    return Path(__file__).parent / "lockfiles"


def add_lockfiles(name: str, folder: Path) -> list[Path]:
    """Copy the sources and variants of the environment `name` into `folder`, and return what was written.

    Files that exist already stay as they are. Raises UsageError for a name that this package does not have.
    """
    source = packaged_lockfiles()
    if name not in (known := names(source)):
        raise UsageError(f"this version of ledger has no lockfile {name}", hint=f"known: {', '.join(known)}")
    written = []
    for ending in (".in", *(f"{variant}.txt" for variant in VARIANTS)):
        original, copy = source / f"{name}{ending}", folder / f"{name}{ending}"
        if original.is_file() and not copy.exists():
            folder.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(original.read_bytes())
            written.append(copy)
    return written
