"""Writing and appending whole or not at all, so that the result survives a power cut."""

import contextlib
import os
from pathlib import Path


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to a temporary file next to `path`, flush it to the disk, and rename it to `path`.

    Raises OSError; `path` is then as it was before.
    """
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        flush_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def append_atomically(path: Path, data: bytes) -> None:
    """Append `data` to `path`, creating it if necessary, and flush it to the disk.

    Raises OSError (no space, no permission); the file is then as long as it was before.
    """
    created = not path.exists()
    with path.open("ab", buffering=0) as file:
        before = file.seek(0, os.SEEK_END)
        try:
            # One write as a rule. A short one means that space ran out; the next one raises the reason.
            while data:
                data = data[file.write(data) :]
            os.fsync(file.fileno())
        except OSError:
            file.truncate(before)
            raise
    if created:
        flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Make new names in `folder` survive a power cut, where the system allows a folder to be flushed."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
