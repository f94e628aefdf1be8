"""Paths as records and messages show them."""

from pathlib import Path


def relative_if_inside(path: Path, root: Path) -> str:
    """`path` relative to `root` if it lies inside, so that it is valid on other machines; else unchanged."""
    return str(path.relative_to(root) if path.is_relative_to(root) else path)
