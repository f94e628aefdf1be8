"""What git knows: the state of the work tree, the user, and what other branches' journals hold."""

from collections.abc import Collection, Sequence
from pathlib import Path

from ledger.evidence import Unobserved
from ledger.evidence.preflight import GitState
from ledger.git.branch import current_branch
from ledger.git.client import GitError, ask, paths, run, top_of, without

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
    try:
        top = top_of(root)
        rows = paths(
            top, "status", "--porcelain=v1", "-z", "--untracked-files=normal", "--no-renames", "--", ":(top)",
            *without(top, ignore),
        )  # fmt: skip
    except GitError as error:
        return Unobserved(_reason(root, error))
    names = (row[3:].encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace") for row in rows)
    commit = ask(top, "rev-parse", "--verify", "--quiet", "HEAD^{commit}") or None
    return GitState(commit, current_branch(root), tuple(sorted(names)))


def user_name(root: Path) -> str:
    """Who records something: git's user.name, else the login name."""
    if name := ask(root, "config", "user.name"):
        return name
    import getpass

    return getpass.getuser()


def committed_file(root: Path, path: Path) -> bytes:
    """The content of `path` at HEAD; empty where HEAD has no such file, or there is no repository."""
    return _content(root, "HEAD", path)


def changed_since(root: Path, commit: str) -> list[str]:
    """The tracked files, from the repository's top, that differ from `commit`; none if it is not known."""
    try:
        return paths(root, "diff", "--name-only", "-z", "--no-renames", commit)
    except GitError:  # no repository, or the commit is gone
        return []


def found_elsewhere(root: Path, path: Path, needles: Collection[str]) -> dict[str, str]:
    """Which of the texts another branch, remote branch or stash has in `path`, and which one.

    A text that the current branch's own history ever held is left out: it was removed from here.
    """
    if not needles:
        return {}
    found: dict[str, str] = {}
    for ref in _other_refs(root):
        for needle in _holds(root, ref, path, needles):
            found.setdefault(needle, ref)
    return {needle: ref for needle, ref in found.items() if not _ever_here(root, path, needle)}


def doubled_by_merge(root: Path, path: Path, needles: Collection[bytes]) -> set[bytes]:
    """Which of the texts a merge in HEAD's history doubled in `path`, though its parents have them once.

    `merge=union` does so with up to three lines that both sides got by other ways than a merge (a
    cherry-pick, a squash) where other new lines are on either side of them.
    """
    if not needles:
        return set()
    merges = ask(
        root, "log", "--merges", "--format=%H %P", f"-{MOST_MERGES}", "HEAD", "--", str(path.resolve())
    )
    found: set[bytes] = set()
    for line in merges.splitlines():
        merged, *parents = (_content(root, commit, path) for commit in line.split())
        found |= {n for n in needles if merged.count(n) > 1 and all(one.count(n) <= 1 for one in parents)}
    return found


def _reason(root: Path, error: GitError) -> str:
    if "not a git repository" in error.said:
        return f"{root} is not in a git repository"
    if "must be run in a work tree" in error.said:
        return f"{root} is a bare git repository"
    return error.message


def _content(root: Path, commit: str, path: Path) -> bytes:
    try:
        relative = path.resolve().relative_to(top_of(root).resolve()).as_posix()
        return run(root, "show", f"{commit}:{relative}")
    except (GitError, ValueError):
        return b""


def _other_refs(root: Path) -> list[str]:
    current = f"refs/heads/{current_branch(root)}"
    return [
        ref for ref in ask(root, "for-each-ref", "--format=%(refname)", *REFS).splitlines() if ref != current
    ]


def _holds(root: Path, ref: str, path: Path, needles: Collection[str]) -> list[str]:
    patterns = [part for needle in needles for part in ("-e", needle)]
    try:
        inside = f":(top,literal){path.resolve().relative_to(top_of(root).resolve())}"
    except (GitError, ValueError):
        return []
    # git grep exits with 1 when it finds nothing.
    return ask(root, "grep", "-h", "-o", "-F", "--no-color", *patterns, ref, "--", inside).splitlines()


def _ever_here(root: Path, path: Path, needle: str) -> bool:
    return bool(ask(root, "log", "-1", "--format=%H", f"-S{needle}", "HEAD", "--", str(path.resolve())))
