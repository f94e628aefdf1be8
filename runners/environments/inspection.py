"""Inspect the environment of an interpreter from outside: none of its packages is imported here."""

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
    """The environment of `interpreter`, compared with the lockfile variant that fits it best.

    Raises LedgerError where the interpreter is missing, is not Python >= 3.11, crashes, or takes longer than
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
    """The facts that `runners.worker.environment_facts` collects in an interpreter.

    They include a digest over the files of each package in `digested`, and for those in `checked` whether
    their code was changed since it was installed.

    Do not store them as they are: an origin's URL may contain a password. Raises LedgerError as `capture`.
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
    """Run the facts module in `interpreter` with a worker's options, so that it sees what a worker sees."""
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
            f"{interpreter} did not report its packages within {timeout:g} s",
            hint="check whether its disk responds",
        ) from error
    try:
        answer = json.loads(done.stdout)
    except ValueError as error:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        why = said[-1] if said else f"exit code {done.returncode}, no output"
        raise LedgerError(f"{interpreter} did not report its packages: {why}", hint=hint) from error
    if not isinstance(answer, dict) or "distributions" not in answer:
        raise LedgerError(f"{interpreter} is not a Python: it reported no packages", hint=hint)
    return answer
