"""The branch that is checked out, read from `.git/HEAD`: importing GitPython costs `ledger log` 0.2 s."""

import os
from pathlib import Path


def current_branch(root: Path) -> str | None:
    """The branch that `root`'s HEAD names; None when detached or outside a repository."""
    try:
        head = _head_file(root)
        text = head.read_text(encoding="utf-8").strip() if head else ""
    except (OSError, UnicodeDecodeError):
        return None
    if text == "ref: refs/heads/.invalid":  # the reftable format keeps HEAD elsewhere
        from ledger.git.client import ask

        return ask(root, "symbolic-ref", "--quiet", "--short", "HEAD") or None
    return text.removeprefix("ref: refs/heads/") if text.startswith("ref: refs/heads/") else None


def has_repository(folder: Path) -> bool:
    """Whether `folder` is in a work tree, or the environment names a repository; git may not trust it."""
    try:
        return "GIT_DIR" in os.environ or _head_file(folder) is not None
    except OSError:
        return True


def _head_file(root: Path) -> Path | None:
    for folder in (root.resolve(), *root.resolve().parents):
        dot_git = folder / ".git"
        if dot_git.is_dir():
            return dot_git / "HEAD"
        if dot_git.is_file():  # a worktree or submodule: "gitdir: PATH"
            target = dot_git.read_text(encoding="utf-8", errors="replace").strip().removeprefix("gitdir: ")
            return (folder / target) / "HEAD"
    return None
