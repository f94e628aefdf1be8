"""Uncommitted changes of a run: stored as one patch, and applied to a work tree of the same commit.

The patch has all changes of tracked files and the small new files; larger new files are listed by digest. A
patch that contains a secret is not stored: scrubbed, it would be another patch.
"""

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger.findings import Json
from ledger.git.client import GitError, paths, run, top_of, without
from ledger.utils.hashing import digest_file
from ledger.utils.paths import relative_if_inside
from ledger.utils.redaction import find_secrets

NAME = "uncommitted.patch"
MOST_BYTES = 4 * 2**20  # of a patch
SMALL_BYTES = 256 * 2**10  # a new file up to this goes into the patch
MOST_DIGESTED = 64 * 2**20  # a new file up to this is read for its digest
MOST_LISTED = 200

# The patch must not depend on the user's settings.
_DIFF = (
    "diff", "--binary", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames",
    "--no-relative", "--ignore-submodules=all", "--src-prefix=a/", "--dst-prefix=b/", "HEAD", "--", ":(top)",
)  # fmt: skip


def keep(root: Path, folder: Path, ignore: Sequence[Path] = ()) -> dict[str, Json]:
    """Write what is not committed at `root` to `folder`; return what was stored, as the journal has it.

    `patch` is `{path, sha256, bytes}` or None; `patch_refused` says why it was not stored. `untracked` are
    the new files that are not in it. Empty if there is no commit to compare with. `ignore` is left out.
    """
    top = _top(root)
    if top is None:
        return {}
    small, large = _untracked(top, ignore)
    patch = _diff(top, small, ignore)
    listed = [_listed(top, path) for path in large[:MOST_LISTED]]
    found: dict[str, Json] = {"patch": None, **({"untracked": listed} if listed else {})}
    if len(large) > MOST_LISTED:
        found["untracked_more"] = len(large) - MOST_LISTED
    if not patch:
        return found
    if refusal := _refusal(patch):
        return {**found, "patch_refused": refusal}
    path = folder / NAME
    path.write_bytes(patch)
    facts = {
        "path": relative_if_inside(path, root),
        "sha256": digest_file(path)["sha256"],
        "bytes": len(patch),
    }
    return {**found, "patch": facts}


def put_back(patch: Path, tree: Path) -> None:
    """Apply a stored patch to the work tree at `tree`. Raises GitError if it does not apply."""
    run(tree, "apply", "--binary", "--whitespace=nowarn", str(patch.resolve()))


@dataclass(frozen=True, slots=True)
class _NewFile:
    name: str
    size: int


def _top(root: Path) -> Path | None:
    """The top of a repository that has a commit."""
    try:
        top = top_of(root)
        run(top, "rev-parse", "--verify", "--quiet", "HEAD")
    except GitError:
        return None
    return top


def _untracked(top: Path, ignore: Sequence[Path]) -> tuple[list[_NewFile], list[_NewFile]]:
    """The new files that git does not ignore: small ones, and the others."""
    listed = paths(
        top, "ls-files", "--others", "--exclude-standard", "-z", "--", ":(top)", *without(top, ignore)
    )
    found = [_NewFile(name, size) for name in listed if (size := _size(top / name)) >= 0]
    small, room = [], MOST_BYTES // 2
    for one in sorted(found, key=lambda one: one.size):
        if one.size > min(SMALL_BYTES, room):
            break
        small.append(one)
        room -= one.size
    return small, sorted((one for one in found if one not in small), key=lambda one: one.name)


def _size(path: Path) -> int:
    """Bytes of a file or a link; -1 for anything else, such as a repository inside this one."""
    try:
        return path.lstat().st_size if path.is_symlink() or path.is_file() else -1
    except OSError:
        return -1


def _diff(top: Path, new: Sequence[_NewFile], ignore: Sequence[Path]) -> bytes:
    """The patch, made with a copy of the index, so that the user's index is not changed."""
    with tempfile.TemporaryDirectory(prefix="ledger-") as folder:
        index, names = Path(folder) / "index", Path(folder) / "names"
        own = top / os.fsdecode(run(top, "rev-parse", "--git-path", "index").rstrip(b"\n"))
        if own.exists():
            # With its time: to git, a file older than the index and of the same size is unchanged.
            shutil.copy2(own, index)
        environment = {"GIT_INDEX_FILE": str(index), "GIT_LITERAL_PATHSPECS": "0"}
        if new:
            names.write_bytes(b"\0".join(os.fsencode(f":(top,literal){one.name}") for one in new))
            run(
                top, "add", "--intent-to-add", f"--pathspec-from-file={names}", "--pathspec-file-nul",
                environment=environment,
            )  # fmt: skip
        return run(top, *_DIFF, *without(top, ignore), environment=environment)


def _listed(top: Path, one: _NewFile) -> dict[str, Json]:
    facts: dict[str, Json] = {
        "path": one.name.encode("utf-8", "backslashreplace").decode(),
        "bytes": one.size,
    }
    path = top / one.name
    if one.size <= MOST_DIGESTED and path.is_file():
        facts["sha256"] = digest_file(path)["sha256"]
    return facts


def _refusal(patch: bytes) -> str:
    """Why a patch is not stored; empty if it is."""
    if len(patch) > MOST_BYTES:
        return f"it has {len(patch):,} bytes, and more than {MOST_BYTES:,} are not kept"
    secrets = find_secrets(patch.decode("utf-8", "replace"))
    if secrets:
        line, kind = secrets[0]
        return f"line {line} of it holds what looks like a secret ({kind})"
    return ""
