"""The files that a recorded command read and git does not hold: without them it cannot be repeated.

Python processes note what they open (`runners.attach.startup`). Of other programs, the words of the command
are taken that name files.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from ledger.errors import LedgerError
from ledger.findings import Json
from ledger.git.client import run
from ledger.utils.hashing import digest_file
from ledger.workspace import Workspace

READS = "reads"
MOST = 100  # files in an entry
MOST_DIGESTED = 2**30  # bytes of a file that is read for its digest
WORD = re.compile(r"""[^\s"'`=;|&<>(){}]+""")


def ignored_reads(
    workspace: Workspace, folder: Path, command: Sequence[str], before: float
) -> list[dict[str, Json]]:
    """The facts of each such file: `path` in the repository, `bytes`, and `sha256` unless it is too large.

    `folder` is the run's folder. What was written after `before` (seconds since 1970) is the command's own.
    """
    found: dict[str, Path] = {}
    for path in (*_noted(folder), *named_files(command, Path.cwd())):
        with suppress(OSError):
            place = path.resolve()
            inside = place.is_relative_to(workspace.root) and not place.is_relative_to(workspace.private)
            if inside and place.is_file() and place.stat().st_mtime < before:
                found[str(place.relative_to(workspace.root))] = place
    return [_facts(name, found[name]) for name in _ignored(workspace.root, sorted(found))[:MOST]]


def named_files(command: Sequence[str], folder: Path) -> Iterator[Path]:
    """The files that words of a command name, also within a word: `sh -c "cat a.txt"`, `--data=a.txt`."""
    for word in command:
        for name in WORD.findall(word):
            with suppress(OSError, ValueError):
                if (folder / name).is_file():
                    yield folder / name


def _noted(folder: Path) -> Iterator[Path]:
    with suppress(OSError):
        for name in (folder / READS).read_bytes().split(b"\0"):
            if name:
                yield Path(name.decode("utf-8", "surrogateescape"))


def _ignored(root: Path, names: Sequence[str]) -> list[str]:
    """Those that git ignores. New files that it does not are in the patch, or listed with it."""
    if not names:
        return []
    given = "".join(f"{name}\0" for name in names).encode("utf-8", "surrogateescape")
    try:
        output = run(root, "check-ignore", "-z", "--stdin", stdin=given)
    except LedgerError:  # none of them is ignored, or there is no git
        return []
    return [name.decode("utf-8", "surrogateescape") for name in output.split(b"\0") if name]


def _facts(name: str, path: Path) -> dict[str, Json]:
    size = path.stat().st_size
    digest = {"sha256": digest_file(path)["sha256"]} if size <= MOST_DIGESTED else {}
    return {"path": name, "bytes": size, **digest}
