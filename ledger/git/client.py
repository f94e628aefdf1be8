"""Running git: every question to git in this project goes through here.

GitPython costs 0.2 s to import, so it is imported at the first question.
"""

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ledger.errors import LedgerError

# Hooks and advice of the user's settings must not interfere, and reading must not take the lock of the index:
# it would make a commit in another terminal fail.
_SETTINGS = (
    "-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false",
    "-c", "log.showSignature=false", "-c", "log.follow=false",
)  # fmt: skip
_ENVIRONMENT = {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}


class GitError(LedgerError):
    """git failed; the message is its own. `said` is what it printed, without the command."""

    def __init__(self, message: str, said: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.said = said


def run(
    folder: Path, *arguments: str, environment: Mapping[str, str] | None = None, stdin: bytes = b""
) -> bytes:
    """The output of a git command in `folder`. Raises GitError if it fails or git is not installed."""
    try:
        from git import Git
        from git.exc import GitCommandNotFound
    except ImportError as error:  # GitPython looks for the program when it is imported
        raise _not_installed() from error
    try:
        with tempfile.TemporaryFile() as given:
            given.write(stdin)
            given.seek(0)
            status, output, errors = Git(folder).execute(
                ["git", *_SETTINGS, *arguments],
                istream=given,
                with_extended_output=True,
                with_exceptions=False,
                stdout_as_string=False,
                strip_newline_in_stdout=False,
                env={**_ENVIRONMENT, **(environment or {})},
            )
    except GitCommandNotFound as error:
        raise _not_installed() from error
    if status:
        lines = str(errors).strip().splitlines()
        line = next(
            (one for one in lines if one.startswith(("fatal:", "error:"))), lines[-1] if lines else ""
        )
        said = line.partition(": ")[2] or line or "failed"
        raise GitError(f"git {arguments[0]}: {said}", said)
    return bytes(output)


def ask(folder: Path, *arguments: str) -> str:
    """The answer of a git command as stripped text; empty where it fails."""
    try:
        return os.fsdecode(run(folder, *arguments)).strip()
    except GitError:
        return ""


def paths(folder: Path, *arguments: str) -> list[str]:
    """The paths that a git command with `-z` prints. Raises GitError."""
    return [os.fsdecode(path) for path in run(folder, *arguments).split(b"\0") if path]


def top_of(root: Path) -> Path:
    """The top folder of the work tree that `root` is in. Raises GitError where it is in none."""
    return Path(os.fsdecode(run(root, "rev-parse", "--show-toplevel").rstrip(b"\n")))


def without(top: Path, ignored: Sequence[Path]) -> list[str]:
    """Pathspecs that leave out these paths, as far as they are inside the work tree at `top`."""
    top = top.resolve()
    inside = [path.resolve().relative_to(top) for path in ignored if path.resolve().is_relative_to(top)]
    return [f":(top,exclude,literal){path.as_posix()}" for path in inside]


def _not_installed() -> GitError:
    return GitError("git is not installed", "not installed", hint="install git, then repeat the command")
