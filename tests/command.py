"""The command line for tests: in this process, which costs no start-up, or as a process of its own."""

import io
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LEDGER = Path(sys.executable).parent / "ledger"
# MLflow reads its variables on import, `sync` may end the process, and `ui` replaces it.
ALWAYS_A_PROCESS = {"sync", "ui"}

Done = subprocess.CompletedProcess[str]


def environment(variables: Mapping[str, str] = {}) -> dict[str, str]:
    """This process's variables, with `variables` on top.

    No test needs the Hugging Face hub, which costs minutes of retries where there is no network. A GitHub job
    that runs the tests is not the job that they are about.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}
    return {**own, "HF_HUB_OFFLINE": "1", **variables}


def run_process(*arguments: str, cwd: Path, variables: Mapping[str, str] = {}, **options: Any) -> Done:
    """Run the installed command to its end. A user must never see a traceback."""
    done = subprocess.run(
        [str(LEDGER), *arguments],
        cwd=cwd,
        env=environment(variables),
        text=True,
        capture_output=True,
        check=False,
        **options,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def run_ledger(*arguments: str, cwd: Path, variables: Mapping[str, str] = {}) -> Done:
    """Run the command: in this process where that is possible."""
    run = run_process if arguments and arguments[0] in ALWAYS_A_PROCESS else run_here
    return run(*arguments, cwd=cwd, variables=variables)


def run_here(*arguments: str, cwd: Path, variables: Mapping[str, str] = {}) -> Done:
    """Run the entry point of the installed command in this process, as if it were a process of its own.

    It sees its own folder, variables, arguments and standard streams. The streams are replaced as file
    descriptors, so that the output of its child processes is captured as well.
    """
    with (
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        _variables(environment(variables)),
        _folder(cwd),
        _streams(out.fileno(), err.fileno()),
        _logging(),
    ):
        code = _main(arguments)
        stdout, stderr = (_text(file) for file in (out, err))
    assert "Traceback" not in stderr, stderr
    return subprocess.CompletedProcess([str(LEDGER), *arguments], code, stdout, stderr)


def _main(arguments: tuple[str, ...]) -> int:
    from ledger.cli.main import main

    sys.argv, before = [str(LEDGER), *arguments], sys.argv
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.argv = before
    return 0


def _text(file: io.BufferedRandom) -> str:
    sys.stdout.flush()
    sys.stderr.flush()
    file.seek(0)
    return io.TextIOWrapper(file, encoding="utf-8").read()


@contextmanager
def _variables(values: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    try:
        _set(values)
        yield
    finally:
        _set(before)


def _set(values: Mapping[str, str]) -> None:
    """Set the variables, and clear what is computed from them once a process."""
    from ledger.utils import redaction

    os.environ.clear()
    os.environ.update(values)
    redaction._own_values.cache_clear()
    tempfile.tempdir = None


@contextmanager
def _logging() -> Iterator[None]:
    """Begin without handlers, as a process does, and leave none that writes to a stream that is closed."""
    root = logging.getLogger()
    level, handlers, warnings = root.level, root.handlers[:], logging._warnings_showwarning is not None
    root.handlers[:] = []
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.captureWarnings(warnings)


@contextmanager
def _folder(path: Path) -> Iterator[None]:
    before = os.open(".", os.O_RDONLY)  # as a descriptor: it may be renamed meanwhile
    try:
        os.chdir(path)
        yield
    finally:
        os.fchdir(before)
        os.close(before)


@contextmanager
def _streams(out: int, err: int) -> Iterator[None]:
    """Replace the standard streams, in Python and as descriptors 0, 1 and 2."""
    python = sys.stdin, sys.stdout, sys.stderr
    python[1].flush()
    python[2].flush()
    saved = [os.dup(number) for number in range(3)]
    empty = os.open(os.devnull, os.O_RDONLY)
    try:
        for number, descriptor in enumerate((empty, out, err)):
            os.dup2(descriptor, number)
        sys.stdin, sys.stdout, sys.stderr = (_open(0, "r"), _open(1, "w"), _open(2, "w"))
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        sys.stdin, sys.stdout, sys.stderr = python
        for number, descriptor in enumerate(saved):
            os.dup2(descriptor, number)
        for descriptor in (*saved, empty):
            os.close(descriptor)


def _open(number: int, mode: str) -> io.TextIOWrapper:
    """A standard stream as a process begins with it."""
    errors = "backslashreplace" if number == 2 else "strict"
    stream = open(  # noqa: SIM115 - a descriptor
        number, mode, encoding="utf-8", errors=errors, buffering=1 if number == 2 else -1, closefd=False
    )
    assert isinstance(stream, io.TextIOWrapper)
    return stream
