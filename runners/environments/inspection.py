"""Look at the environment behind an interpreter, from outside: nothing of it is imported here."""

import json
import subprocess
import sys
from collections.abc import Collection, Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from ledger.environments.environment import Environment, build
from ledger.environments.lockfile import Lockfile
from ledger.errors import LedgerError
from runners.worker import environment_facts

TIMEOUT = 120.0  # seconds; cold network file systems take tens


def capture(interpreter: Path, variants: Sequence[Lockfile] = (), *, timeout: float = TIMEOUT) -> Environment:
    """The environment of `interpreter`, held against the variant of a lockfile that it follows.

    Raises LedgerError when the interpreter is missing, is no Python >= 3.11, crashes, or is not done in
    `timeout` seconds.
    """
    pinned = sorted({pin.name for lockfile in variants for pin in lockfile.pins})
    return build(facts_of(interpreter, pinned, timeout=timeout), variants)


def facts_of(
    interpreter: Path,
    digested: Collection[str] = (),
    checked: Collection[str] = (),
    *,
    timeout: float = TIMEOUT,
) -> dict[str, Any]:
    """What `runners.worker.environment_facts` tells of an interpreter.

    Of the packages in `digested` a digest over their files, of those in `checked` whether their code was
    changed since it was installed.

    Not fit to be kept as it is: an origin's URL may hold a password. Raises LedgerError as `capture` does.
    """
    if interpreter.absolute() == Path(sys.executable).absolute():
        return environment_facts.collect(digested, checked)  # the same answer, 0.1 s sooner
    return _ask(interpreter, sorted({*digested, *checked}), timeout)


def marker_values() -> dict[str, str]:
    """PEP 508's environment markers of this interpreter."""
    return environment_facts.marker_values()


def requirements_of(interpreter: Path) -> dict[tuple[str, str], list[str]]:
    """Requires-Dist of each distribution in a virtual environment, by normalized name and version."""
    folders = interpreter.absolute().parents[1].glob("lib/python*/site-packages")
    found = distributions(path=[str(folder) for folder in folders])
    return {(canonicalize_name(one.name), one.version): one.requires or [] for one in found if one.name}


def _ask(interpreter: Path, pinned: list[str], timeout: float) -> dict[str, Any]:
    """Run the facts module in `interpreter`, with a worker's options: it sees what a worker sees."""
    command = [str(interpreter), "-P", "-X", "utf8", environment_facts.__file__, *pinned]
    hint = "name the python (3.11 or newer) of the experiment's environment, such as .venv/bin/python"
    try:
        done = subprocess.run(
            command, capture_output=True, stdin=subprocess.DEVNULL, timeout=timeout, check=False
        )
    except OSError as error:
        raise LedgerError(f"{interpreter} cannot be started: {error.strerror}", hint=hint) from error
    except subprocess.TimeoutExpired as error:
        raise LedgerError(
            f"{interpreter} did not tell its packages within {timeout:g} s",
            hint="see whether the disk that it lies on answers",
        ) from error
    try:
        answer = json.loads(done.stdout)
    except ValueError as error:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        why = said[-1] if said else f"exit code {done.returncode}, no output"
        raise LedgerError(f"{interpreter} did not tell its packages: {why}", hint=hint) from error
    if not isinstance(answer, dict) or "distributions" not in answer:
        raise LedgerError(f"{interpreter} is no Python: it told no facts", hint=hint)
    return answer
