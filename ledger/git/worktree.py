"""Temporary work trees: a commit is checked out next to the repository and removed again, even after a kill.

They are in `.ledger/worktrees`, each with a lock that its process holds; one that nobody holds is removed.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

from filelock import FileLock, Timeout

from ledger.git.client import GitError, ask, run, top_of
from ledger.workspace import Workspace, read_settings

FOLDER = "worktrees"
LOCK = ".lock"  # next to the tree: .ledger/worktrees/exp5-3fa91c-x1y2.lock


@contextmanager
def checkout(workspace: Workspace, commit: str, name: str) -> Iterator[Workspace]:
    """The workspace as it was at `commit`, without `.ledger`, in a folder that is removed afterwards.

    Raises GitError if the repository has no such commit, or git cannot check it out.
    """
    place = workspace.private / FOLDER
    place.mkdir(parents=True, exist_ok=True)
    tidy(workspace)
    tree = Path(mkdtemp(prefix=f"{name}-", dir=place))
    lock = FileLock(tree.with_name(tree.name + LOCK))
    try:
        with lock:
            run(workspace.root, "worktree", "add", "--quiet", "--force", "--detach", str(tree), commit)
            root = tree / workspace.root.resolve().relative_to(top_of(workspace.root).resolve())
            yield Workspace(root, read_settings(root / "pyproject.toml"))
    finally:
        _remove(workspace, tree)
        Path(lock.lock_file).unlink(missing_ok=True)


def tidy(workspace: Workspace) -> None:
    """Remove the work trees of killed processes."""
    for path in sorted((workspace.private / FOLDER).glob(f"*{LOCK}")):
        with suppress(Timeout, OSError), FileLock(path, blocking=False):
            _remove(workspace, path.with_name(path.name.removesuffix(LOCK)))
            path.unlink(missing_ok=True)


def has_commit(workspace: Workspace, commit: str) -> bool:
    """Whether the repository has the commit and its files, so that it can be checked out."""
    return bool(ask(workspace.root, "rev-parse", "--verify", "--quiet", f"{commit}^{{tree}}"))


def _remove(workspace: Workspace, tree: Path) -> None:
    with suppress(GitError):
        run(workspace.root, "worktree", "remove", "--force", "--force", str(tree))
    shutil.rmtree(tree, ignore_errors=True)
    with suppress(GitError):
        run(workspace.root, "worktree", "prune")
