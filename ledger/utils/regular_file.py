"""Opening files that other people or programs wrote: a pipe, a device or an endless file is refused."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

# Bytes of a file that is read whole: a journal of a million entries, a corpus of ten million lines.
MOST = 2 << 30
MOST_SETTINGS = 64 << 20  # of a file that a person writes: a spec, a log, a lockfile


def open_regular(path: Path, most: int = MOST) -> BinaryIO:
    """Open a regular file of at most `most` bytes, through links; it never waits for another process.

    Raises OSError, which says what else the path is; IsADirectoryError for a folder.
    """
    opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    found = os.fstat(opened)
    if stat.S_ISREG(found.st_mode) and found.st_size <= most:
        return os.fdopen(opened, "rb")
    os.close(opened)
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if stat.S_ISREG(found.st_mode):
        raise OSError(
            errno.EINVAL, f"it has {found.st_size:,} bytes, more than the {most:,} that are read", str(path)
        )
    raise OSError(errno.EINVAL, "it is not a regular file", str(path))


def read_regular(path: Path, most: int = MOST) -> bytes:
    """The whole of such a file; no more of it than `most` bytes, if it grows meanwhile."""
    with open_regular(path, most) as file:
        return file.read(most)
