"""What git knows of the work tree and of the user."""

from collections.abc import Sequence
from pathlib import Path

from ledger.evidence.preflight import GitState
from ledger.git.branch import current_branch
from ledger.git.client import GitError, ask, paths, top_of, without

__all__ = ["changed_since", "current_branch", "read", "reason", "user_name"]


def read(root: Path, ignore: Sequence[Path] = ()) -> GitState:
    """Commit, branch and changed paths (untracked ones too) of the work tree at `root`.

    Paths are relative to the repository's top; an untracked folder is one path. `ignore` is left out: the
    journal changes with every run, which says nothing about the code that ran.
    """
    try:
        top = top_of(root)
        rows = paths(
            top, "status", "--porcelain=v1", "-z", "--untracked-files=normal", "--no-renames", "--", ":(top)",
            *without(top, ignore),
        )  # fmt: skip
    except GitError as error:
        return GitState(None, None, unread=reason(root, error))
    names = (row[3:].encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace") for row in rows)
    commit = ask(top, "rev-parse", "--verify", "--quiet", "HEAD^{commit}") or None
    return GitState(commit, current_branch(root), tuple(sorted(names)))


def user_name(root: Path) -> str:
    """Who records something: git's user.name, else the login name."""
    if name := ask(root, "config", "user.name"):
        return name
    import getpass

    return getpass.getuser()


def changed_since(root: Path, commit: str) -> list[str]:
    """The tracked files, from the repository's top, that differ from `commit`; none if it is not known."""
    try:
        return paths(root, "diff", "--name-only", "-z", "--no-renames", commit)
    except GitError:  # no repository, or the commit is gone
        return []


def reason(root: Path, error: GitError) -> str:
    """Why git could not read the repository that `root` is in."""
    if "not a git repository" in error.said:
        return f"{root} is not in a git repository"
    if "must be run in a work tree" in error.said:
        return f"{root} is a bare git repository"
    return error.message if error.said == "not installed" else f"git cannot read {root}: {error.said}"
