"""Work trees for a moment: a commit checked out beside the repository, and removed again, after a kill too.

They lie in `.ledger/worktrees`, each with a lock that its process holds: what nobody holds is left over.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

from filelock import FileLock, Timeout

from ledger.errors import LedgerError
from ledger.git.patch import GitError, git, top_of
from ledger.workspace import Workspace, read_settings

FOLDER = "worktrees"
LOCK = ".lock"  # beside the tree: .ledger/worktrees/exp5-3fa91c-x1y2.lock


@contextmanager
def checkout(workspace: Workspace, commit: str, name: str) -> Iterator[Workspace]:
    """The workspace as it was at `commit`, without `.ledger`, in a folder that goes when the block ends.

    Raises GitError where the repository has no such commit, or git cannot check it out.
    """
    place = workspace.private / FOLDER
    place.mkdir(parents=True, exist_ok=True)
    tidy(workspace)
    tree = Path(mkdtemp(prefix=f"{name}-", dir=place))
    lock = FileLock(tree.with_name(tree.name + LOCK))
    try:
        with lock:
            git(workspace.root, "worktree", "add", "--quiet", "--force", "--detach", str(tree), commit)
            root = tree / workspace.root.resolve().relative_to(top_of(workspace.root).resolve())
            yield Workspace(root, read_settings(root / "pyproject.toml"))
    finally:
        _remove(workspace, tree)
        Path(lock.lock_file).unlink(missing_ok=True)


def tidy(workspace: Workspace) -> None:
    """Remove the work trees of processes that were killed."""
    for path in sorted((workspace.private / FOLDER).glob(f"*{LOCK}")):
        with suppress(Timeout, OSError), FileLock(path, blocking=False):
            _remove(workspace, path.with_name(path.name.removesuffix(LOCK)))
            path.unlink(missing_ok=True)


def has_commit(workspace: Workspace, commit: str) -> bool:
    """Whether the repository has the commit, with all that it takes to check it out."""
    try:
        git(workspace.root, "rev-parse", "--verify", "--quiet", f"{commit}^{{tree}}")
    except LedgerError:
        return False
    return True


def _remove(workspace: Workspace, tree: Path) -> None:
    with suppress(GitError):
        git(workspace.root, "worktree", "remove", "--force", "--force", str(tree))
    shutil.rmtree(tree, ignore_errors=True)
    with suppress(GitError):
        git(workspace.root, "worktree", "prune")
