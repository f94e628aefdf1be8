"""What git knows: the state of the working tree, who commits, and what other branches' journals hold.

GitPython costs 0.2 s to import, so it is imported where it is used.
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.evidence import Unobserved
from ledger.evidence.preflight import GitState
from ledger.git.branch import current_branch

if TYPE_CHECKING:
    import git

__all__ = [
    "changed_since",
    "committed_file",
    "current_branch",
    "doubled_by_merge",
    "found_elsewhere",
    "read",
    "user_name",
]
MOST_MERGES = 200
REFS = ("refs/heads", "refs/remotes", "refs/stash")


def read(root: Path, ignore: Sequence[Path] = ()) -> GitState | Unobserved:
    """Commit, branch and changed paths (untracked ones too) of the work tree at `root`.

    Paths are relative to the repository's top; an untracked folder is one path. `ignore` is left out: the
    journal changes with every run, which says nothing about the code that ran.
    """
    repository = _open(root)
    if isinstance(repository, Unobserved):
        return repository
    from git import GitCommandError

    try:
        return GitState(_commit(repository), current_branch(root), _changed(repository, ignore))
    except GitCommandError as error:
        return Unobserved(f"git could not tell its state: {str(error.stderr).strip() or error}")


def user_name(root: Path) -> str:
    """Who puts something on the record: git's user.name, else the login name."""
    try:
        import git

        return str(git.Git(root).config("user.name"))
    except Exception:  # no git, or no name set: both mean that only the system can tell
        import getpass

        return getpass.getuser()


def committed_file(root: Path, path: Path) -> bytes:
    """The content of `path` at HEAD; empty where HEAD has no such file, or there is no repository."""
    repository = _open(root)
    return b"" if isinstance(repository, Unobserved) else _content(repository, "HEAD", path)


def changed_since(root: Path, commit: str) -> list[str]:
    """The tracked files, from the repository's top, that differ from `commit`; none if it is not known."""
    repository = _open(root)
    if isinstance(repository, Unobserved):
        return []
    from git import GitCommandError

    try:
        listed: str = repository.git.diff("--name-only", "-z", "--no-renames", commit)
    except GitCommandError:  # the commit is gone
        return []
    return [name for name in listed.split("\0") if name]


def found_elsewhere(root: Path, path: Path, needles: Collection[str]) -> dict[str, str]:
    """Which of the texts stand in `path` on another branch, remote branch or stash, and on which.

    A text that the current branch's own history ever held is left out: from here it was removed.
    """
    repository = _open(root)
    if not needles or isinstance(repository, Unobserved):
        return {}
    refs = _other_refs(repository, current_branch(root))
    found: dict[str, str] = {}
    for ref in refs:
        for needle in _holds(repository, ref, path, needles):
            found.setdefault(needle, ref)
    return {needle: ref for needle, ref in found.items() if not _ever_here(repository, path, needle)}


def doubled_by_merge(root: Path, path: Path, needles: Collection[bytes]) -> set[bytes]:
    """Which of the texts a merge in HEAD's history made stand twice in `path`, though once in its parents.

    `merge=union` does so with up to three lines that both sides got by other ways than a merge (a
    cherry-pick, a squash) where other new lines stand on either side of them.
    """
    repository = _open(root)
    if not needles or isinstance(repository, Unobserved):
        return set()
    from git import GitCommandError

    try:
        listed: str = repository.git.log(
            "--merges", "--format=%H %P", f"-{MOST_MERGES}", "HEAD", "--", str(path.resolve())
        )
    except GitCommandError:  # no commit yet
        return set()
    found: set[bytes] = set()
    for line in listed.splitlines():
        merged, *parents = (_content(repository, commit, path) for commit in line.split())
        found |= {n for n in needles if merged.count(n) > 1 and all(one.count(n) <= 1 for one in parents)}
    return found


def _content(repository: "git.Repo", commit: str, path: Path) -> bytes:
    from git import GitCommandError

    try:
        relative = path.resolve().relative_to(Path(repository.working_tree_dir or ".").resolve()).as_posix()
        data: bytes = repository.git.show(
            f"{commit}:{relative}", stdout_as_string=False, strip_newline_in_stdout=False
        )
        return data
    except (GitCommandError, ValueError):
        return b""


def _open(root: Path) -> "git.Repo | Unobserved":
    try:
        import git
    except ImportError:
        return Unobserved("git is not installed")
    try:
        repository = git.Repo(root, search_parent_directories=True)
    except (git.InvalidGitRepositoryError, git.NoSuchPathError):
        return Unobserved(f"{root} is not in a git repository")
    if repository.bare:
        return Unobserved(f"{root} is a bare git repository")
    # A status that refreshes the index would take its lock, and make a commit in another terminal fail.
    repository.git.update_environment(GIT_OPTIONAL_LOCKS="0")
    return repository


def _commit(repository: "git.Repo") -> str | None:
    return repository.head.commit.hexsha if repository.head.is_valid() else None


def _changed(repository: "git.Repo", ignore: Sequence[Path]) -> tuple[str, ...]:
    top = Path(repository.working_tree_dir or ".").resolve()
    inside = [p.resolve().relative_to(top) for p in ignore if p.resolve().is_relative_to(top)]
    excluded = [f":(top,exclude,literal){path.as_posix()}" for path in inside]
    output: bytes = repository.git.status(
        "--porcelain=v1", "-z", "--untracked-files=normal", "--no-renames", "--", ":(top)", *excluded,
        stdout_as_string=False, strip_newline_in_stdout=False,
    )  # fmt: skip
    rows = output.decode("utf-8", "backslashreplace").split("\0")
    return tuple(sorted(row[3:] for row in rows if row))


def _other_refs(repository: "git.Repo", branch: str | None) -> list[str]:
    listed: str = repository.git.for_each_ref("--format=%(refname)", *REFS)
    return [ref for ref in listed.splitlines() if ref != f"refs/heads/{branch}"]


def _holds(repository: "git.Repo", ref: str, path: Path, needles: Collection[str]) -> list[str]:
    from git import GitCommandError

    patterns = [part for needle in needles for part in ("-e", needle)]
    top = Path(repository.working_tree_dir or ".").resolve()
    try:
        found: str = repository.git.grep(
            "-h",
            "-o",
            "-F",
            "--no-color",
            *patterns,
            ref,
            "--",
            f":(top,literal){path.resolve().relative_to(top)}",
        )
    except (GitCommandError, ValueError):  # git grep exits 1 when it finds nothing
        return []
    return found.splitlines()


def _ever_here(repository: "git.Repo", path: Path, needle: str) -> bool:
    from git import GitCommandError

    try:
        return bool(repository.git.log("-1", "--format=%H", f"-S{needle}", "HEAD", "--", str(path.resolve())))
    except GitCommandError:  # no commit yet
        return False
