"""Paths as records and messages show them."""

import os
from pathlib import Path


def relative_if_inside(path: Path, root: Path) -> str:
    """`path` relative to `root` if it lies inside, so that it is valid on other machines; else unchanged."""
    return shown(path.relative_to(root) if path.is_relative_to(root) else path)


def shown(path: Path) -> str:
    """`path` as text; bytes that are not UTF-8 as escapes, since JSON cannot hold them.

    >>> shown(Path(os.fsdecode(b"out/\\xff")))
    'out/\\\\xff'
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")
