"""One file in git: its earlier contents in HEAD's history, and what other branches have in it.

Questions are asked in the file's own folder, so that a linked folder and a submodule are read as well.
"""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from ledger.git.branch import current_branch, has_repository
from ledger.git.client import GitError, ask, run

MOST_BYTES = 256 * 2**20  # of earlier contents, newest first: a second or two
MOST_MERGES = 200
REFS = ("refs/heads", "refs/remotes", "refs/stash")


def other_versions(path: Path, present: bytes) -> Iterator[tuple[str, bytes]]:
    """The contents of `path` in HEAD's history that `present` does not begin with, newest first.

    Each with the commit that has it. An append-only file begins with all its earlier contents, which are
    recognized by their digests and not read. Stops after `MOST_BYTES`. Nothing where there is no repository
    or no commit; raises GitError where there is one that git cannot read.
    """
    path = path.resolve()
    folder = path.parent
    if not has_repository(folder) or _is_unborn(folder):
        return
    commits = _blobs(folder, path.name)
    names = "".join(f"{blob}\n" for blob in commits).encode()
    rows = run(folder, "cat-file", "--batch-check", stdin=names).decode().splitlines()
    room = MOST_BYTES
    for blob, row in zip(commits, rows, strict=True):
        size = row.rpartition(" ")[2]
        if not size.isdecimal():
            raise GitError(f"git cat-file: {row}", f"it lacks the object {blob[:10]}")
        room -= int(size)
        if room < 0:
            return
        if not _begins_with(present, blob, int(size)):
            yield commits[blob], run(folder, "cat-file", "blob", blob)


def found_elsewhere(path: Path, needles: Collection[str]) -> dict[str, str]:
    """Which of the texts another branch, remote branch or stash has in `path`, and which one.

    A text that the current branch's own history ever held is left out: it was removed from here.
    """
    if not needles:
        return {}
    found: dict[str, str] = {}
    for ref in _other_refs(path):
        for needle in _holds(ref, path, needles):
            found.setdefault(needle, ref)
    return {needle: ref for needle, ref in found.items() if not _ever_here(path, needle)}


def doubled_by_merge(path: Path, needles: Collection[bytes]) -> set[bytes]:
    """Which of the texts a merge in HEAD's history doubled in `path`, though its parents have them once.

    `merge=union` does so with up to three lines that both sides got by other ways than a merge (a
    cherry-pick, a squash) where other new lines are on either side of them.
    """
    if not needles:
        return set()
    merges = _ask(path, "log", "--merges", "--format=%H %P", f"-{MOST_MERGES}", "HEAD")
    found: set[bytes] = set()
    for line in merges.splitlines():
        merged, *parents = (_content(commit, path) for commit in line.split())
        found |= {n for n in needles if merged.count(n) > 1 and all(one.count(n) <= 1 for one in parents)}
    return found


def _is_unborn(folder: Path) -> bool:
    """Whether nothing was committed yet. Raises GitError where HEAD cannot be read."""
    try:
        run(folder, "rev-parse", "--verify", "HEAD")
    except GitError as error:
        ref = ask(folder, "symbolic-ref", "--quiet", "HEAD")
        stored = ask(folder, "rev-parse", "--git-path", ref) if ref else ""
        if not stored or (folder / stored).exists():  # a branch that is there, but damaged
            raise GitError(error.message, f"HEAD is damaged: {error.said}" if ref else error.said) from error
        return True
    return False


def _blobs(folder: Path, name: str) -> dict[str, str]:
    """Every content of the file in HEAD's history, newest first, and a commit that has it."""
    log = run(
        folder, "log", "--full-history", "-m", "--raw", "--no-abbrev", "--no-renames", "--format=%H %P",
        "HEAD", "--", f"./{name}",
    )  # fmt: skip
    found: dict[str, str] = {}
    commit, parents = "", [""]
    for row in log.decode("utf-8", "replace").splitlines():
        if not row.startswith(":"):
            commit, *parents = row.split() or (commit, *parents)
            continue
        before, after = row.split()[2:4]
        found.setdefault(after, commit)
        found.setdefault(before, parents[0] if len(parents) == 1 else f"a parent of {commit}")
    return {blob: commit for blob, commit in found.items() if blob.strip("0")}


def _begins_with(data: bytes, blob: str, size: int) -> bool:
    """Whether the first `size` bytes are the content that git calls `blob`."""
    if size > len(data):
        return False
    algorithm = hashlib.sha1 if len(blob) == 40 else hashlib.sha256
    digest = algorithm(b"blob %d\0" % size)
    digest.update(memoryview(data)[:size])
    return digest.hexdigest() == blob


def _content(commit: str, path: Path) -> bytes:
    path = path.resolve()
    try:
        return run(path.parent, "show", f"{commit}:./{path.name}")
    except GitError:
        return b""


def _other_refs(path: Path) -> list[str]:
    folder = path.resolve().parent
    current = f"refs/heads/{current_branch(folder)}"
    refs = ask(folder, "for-each-ref", "--format=%(refname)", *REFS).splitlines()
    return [ref for ref in refs if ref != current]


def _holds(ref: str, path: Path, needles: Collection[str]) -> Sequence[str]:
    patterns = [part for needle in needles for part in ("-e", needle)]
    # git grep exits with 1 when it finds nothing.
    return _ask(path, "grep", "-h", "-o", "-F", "--no-color", *patterns, ref).splitlines()


def _ever_here(path: Path, needle: str) -> bool:
    # The full history: a merge that took one side's file hides the other side's commits otherwise.
    return bool(_ask(path, "log", "--full-history", "-1", "--format=%H", f"-S{needle}", "HEAD"))


def _ask(path: Path, *arguments: str) -> str:
    """The answer about this file alone."""
    path = path.resolve()
    return ask(path.parent, *arguments, "--", f":(literal){path.name}")
