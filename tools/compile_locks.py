"""Compile the lockfiles; `make lock` runs this (UPGRADE=--upgrade for newer versions).

It compiles each environment `lockfiles/NAME.in` as `ledger env lock NAME` does, and `tool.txt`, which pins
this project's own packages at versions that are compatible with the experiments'.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from ledger.errors import LedgerError
from runners.environments.locking import compile_lock, lock_environment

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "lockfiles"
TOGETHER_WITH = "t5-lightning"  # the environment that shares a .venv with the tool's own packages


def main(arguments: list[str]) -> int:
    """Compile everything; `arguments` go to pip-compile."""
    try:
        for source in sorted(LOCKS.glob("*.in")):
            lock_environment(source, ROOT, arguments, say)
        lock_tool(arguments)
    except LedgerError as error:
        say(str(error))
        return int(error.exit_code)
    return 0


def lock_tool(arguments: list[str]) -> None:
    """Compile the packages of pyproject.toml, including those for development."""
    say("compiling tool.txt")
    target = LOCKS / "tool.txt"
    together = ["--constraint", f"lockfiles/{TOGETHER_WITH}.txt", "--extra", "dev", *arguments]
    with tempfile.TemporaryDirectory() as folder:
        new = Path(folder) / target.name
        compile_lock(new, ROOT / "pyproject.toml", ROOT, together, command="make lock", start=target)
        shutil.copyfile(new, target)


def say(text: str) -> None:
    """Print one line of progress."""
    print(f"lock: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
