"""What lies in a checkpoint's folder, without opening any of it: files, links, and what cannot be read.

Standard library only. A named pipe, a device or a link to either would block whoever opens it, and a link
that leads to itself fails in every library with another message: they are named before anything is read.
"""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from runners.worker.layout import FOLDER

MOST_SETTINGS = 1 << 28  # bytes of a JSON file: a tokenizer of a million entries has less than half
KINDS = {
    stat.S_ISFIFO: "a named pipe",
    stat.S_ISSOCK: "a socket",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
}
SETTINGS = ("config.json", "generation_config.json", "tokenizer_config.json", "tokenizer.json")
WEIGHTS = ("model.safetensors", "pytorch_model.bin")


def entries(folder: Path, *, own: bool = False) -> Iterator[Path]:
    """Every file and every link in the folder; a link to a folder is not followed.

    `own`: those of the ledger, too.
    """
    for where, folders, names in os.walk(folder):
        here = Path(where)
        if here == folder and FOLDER in folders and not own:
            folders.remove(FOLDER)
        yield from (here / name for name in names)
        yield from (here / name for name in folders if (here / name).is_symlink())


def unreadable(folder: Path) -> dict[str, str]:
    """What no program should open: pipes, devices, links to themselves, settings of absurd size; by name."""
    try:
        next(folder.iterdir(), None)
    except OSError as error:
        return {".": f"cannot be read: {error.strerror}"}
    found = {}
    for path in entries(folder, own=True):
        if why := _why_unreadable(path):
            found[shown(path.relative_to(folder))] = why
    for name in (*SETTINGS, *WEIGHTS):
        if (folder / name).is_dir():
            found[name] = "is a folder and not a file"
    return found


def links_out(folder: Path) -> dict[str, str]:
    """The links that lead out of the folder, by name; those of the Hugging Face cache into its own blobs are
    allowed."""
    root = folder.resolve()
    blobs = root.parent.parent / "blobs" if root.parent.name == "snapshots" else None
    out = {}
    for path in entries(folder, own=True):
        target = _target(path)
        inside = target.is_relative_to(root) or (blobs is not None and target.is_relative_to(blobs))
        if not inside:
            out[shown(path.relative_to(folder))] = (
                f"is a link that leads out of the folder, to {shown(target)}"
            )
    return out


def shown(path: Path) -> str:
    """The path as text; bytes that are not UTF-8 as escapes, since JSON cannot hold them."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def size_of(path: Path) -> int:
    """Its size in bytes; 0 where it cannot be read."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _target(path: Path) -> Path:
    """Where a path leads; for a link that leads to itself, where it lies."""
    return Path(os.path.realpath(path))


def _why_unreadable(path: Path) -> str | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None  # a link to nothing is read by nobody, or reported as missing
    except OSError as error:
        loops = error.errno == errno.ELOOP
        return "is a link that leads to itself" if loops else f"cannot be read: {error.strerror}"
    for is_kind, name in KINDS.items():
        if is_kind(found.st_mode):
            return f"is {name} and not a file"
    if path.suffix == ".json" and found.st_size > MOST_SETTINGS:
        return f"has {found.st_size:,} bytes, more than any settings file"
    if not os.access(path, os.R_OK):
        return "cannot be read: Permission denied"
    return None
