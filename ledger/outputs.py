"""Files that the user names for a command to write: reports, summaries, lists of lines.

A slip of the keyboard must not cost the record: whatever the ledger, git or a person needs is never replaced.
"""

import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from ledger.errors import LedgerError, UsageError
from ledger.utils.atomic_file import append_atomically, write_atomically
from ledger.utils.textfiles import cannot_write
from ledger.workspace import Workspace

OTHER_FILE = "name another file"
# How the files that the ledger writes begin or end, so that it may write them again where git tracks them.
_OWN = re.compile(
    rb'<meta name="generator" content="ledger|\[ledger\]: # \(written by ledger|"https://in-toto\.io/Statement'
    rb'|<testsuites name="ledger gate"|\A(<!-- ledger gate -->\n)?## ledger gate: |\A\{"line":\d+,"codes":'
    rb"|# In the repository: docker build -f|^lock-version = ",
    re.MULTILINE,
)
_READ = 4096  # bytes at each end of a file that are searched for it
_STREAM = re.compile(r"/(?:dev/fd|proc/(?:self|thread-self|\d+)/fd)/(\d+)")
_SPECS, _LOCKFILES = frozenset({".yaml", ".yml"}), frozenset({".in", ".txt", ".toml", ".lock"})


def check_output(path: Path, inputs: Sequence[Path] = ()) -> None:
    """Raise UsageError where writing `path` would replace what must be kept, or one of the `inputs`."""
    check_kept(path)
    target = path.resolve()
    if any(_same(target, one) for one in inputs):
        raise UsageError(f"{path} is also read, and would be replaced", hint=OTHER_FILE)
    if target.is_dir():
        raise UsageError(f"{path} is a folder", hint="name a file inside it")
    if target.is_file() and not _is_own(target) and _is_tracked(target):
        hint = f"{OTHER_FILE}, or remove this one first"
        raise UsageError(f"git tracks {path}, and the ledger did not write it", hint=hint)


def check_kept(path: Path) -> None:
    """Raise UsageError for a path inside .git or .ledger, for the journal, a spec and a lockfile."""
    target = path.resolve()
    if any(part.lower() == ".git" for part in (*path.absolute().parts, *target.parts)):
        raise UsageError(f"{path} is inside .git, which no output may change", hint=OTHER_FILE)
    for workspace in _workspaces(target):
        if target.is_relative_to(workspace.private.resolve()):
            raise UsageError(f"{path} is inside .ledger, which no output may change", hint=OTHER_FILE)
        if _same(target, workspace.journal):
            raise UsageError(f"{path} is the journal, which only grows by entries", hint=OTHER_FILE)
        for folder, suffixes, what in (
            (workspace.experiments, _SPECS, "a spec"),
            (workspace.lockfiles, _LOCKFILES, "a lockfile"),
        ):
            if target.is_file() and target.suffix in suffixes and target.is_relative_to(folder.resolve()):
                raise UsageError(f"{path} is {what}, which an output would replace", hint=OTHER_FILE)


def write_output(path: Path, data: bytes) -> None:
    """Write a regular file whole or not at all, through links; anything else (a pipe, a device) directly.

    Raises UsageError where `check_output` does, LedgerError if it cannot be written.
    """
    _put(path, data, append=False)


def append_output(path: Path, data: bytes) -> None:
    """Append to a file that other programs append to as well; otherwise as `write_output`."""
    _put(path, data, append=True)


def _put(path: Path, data: bytes, *, append: bool) -> None:
    try:
        if (stream := _stream(path)) is not None:
            with os.fdopen(os.dup(stream), "wb") as file:
                file.write(data)
            return
        check_output(path)
        target = path.resolve()
        if target.exists() and not target.is_file():
            with target.open("wb", buffering=0) as file:
                file.write(data)
        elif append:
            append_atomically(target, data)
        else:
            write_atomically(target, data)
    except OSError as error:
        raise cannot_write(path, error) from error


def _stream(path: Path) -> int | None:
    """The number of this process's open file that a name such as /dev/stdout stands for."""
    for _ in range(8):
        if found := _STREAM.fullmatch(os.path.abspath(path)):  # noqa: PTH100 - resolve() follows the last link
            return int(found[1])
        if not path.is_symlink():
            return None
        path = path.parent / path.readlink()
    return None


def _same(one: Path, other: Path) -> bool:
    with suppress(OSError):
        found = one.stat()
        return stat.S_ISREG(found.st_mode) and os.path.samestat(found, other.stat())
    return one == other.resolve()


def _is_own(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(_READ)
        file.seek(max(0, file.seek(0, os.SEEK_END) - _READ))
        return _OWN.search(head) is not None or _OWN.search(file.read(_READ)) is not None


def _is_tracked(path: Path) -> bool:
    from ledger.git import client

    return bool(client.ask(path.parent, "ls-files", "--", f":(literal){path.name}"))


def _workspaces(path: Path) -> Iterator[Workspace]:
    """The ledgers around the file and around the current folder, from which links may lead to the file."""
    for folder in dict.fromkeys((path.parent, Path.cwd())):
        with suppress(LedgerError):
            yield Workspace.find(folder)
