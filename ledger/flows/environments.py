"""Which Python an experiment runs with: this one where it is as the lockfile pins it, else a built one."""

import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from guards.environment import pinned_versions
from guards.guard import inspect
from guards.preflight import disk_space
from ledger.environment import Environment
from ledger.errors import LedgerError
from ledger.evidence import Evidence
from ledger.findings import Report, Verdict
from ledger.flows.preflight import allow
from ledger.flows.voice import Voice
from ledger.lockfile import Lockfile, find, is_path
from ledger.workspace import Workspace
from runners.disk import environment_need, free_space
from runners.environment import capture
from runners.environments import build, built, default_cache, obtainable

DRIFT = pinned_versions.CODE


@dataclass(frozen=True, slots=True)
class Choice:
    """An interpreter and what it has installed; `report` says why the pinned one was not built."""

    python: Path
    environment: Environment
    report: Report = field(default_factory=Report)


def named(name: str | None, workspace: Workspace) -> list[Lockfile]:
    """The variants of the environment that a spec names; a path starts at the repository's root.

    Raises UsageError when there is none, LedgerError when one cannot be read.
    """
    if name is None:
        return []
    return find(str(workspace.root / name) if is_path(name) else name, workspace.lockfiles)


def choose(lockfiles: Sequence[Lockfile], allowed: Collection[str], voice: Voice) -> Choice:
    """This interpreter where it is as one of `lockfiles` pins, or drift is allowed; else a built one.

    Where the disk has no room for it, this interpreter, and the refusal. Raises LedgerError when it cannot be
    built.
    """
    here = Path(sys.executable)
    environment = capture(here, lockfiles)
    drift = _drift(environment)
    if drift.verdict is not Verdict.FAIL or DRIFT in allowed:
        return Choice(here, environment)
    cache = default_cache()
    try:
        python = built(lockfiles, cache)
        if python is None:
            voice.say(drift.findings[0].message)
            with voice.progress("steps") as tell:
                lockfile = obtainable(lockfiles, cache, tell)
            room = allow(_room(lockfile, cache), allowed)
            if room.verdict is Verdict.FAIL:
                return Choice(here, environment, room)
            voice.say(f"building what {lockfile.path.name} pins, {_size(lockfile)}, in {cache}")
            with voice.progress("steps") as tell:
                python = build(lockfile, cache, tell)
    except LedgerError as error:
        or_else = f"{error.hint}; or run with what is installed here: --allow {DRIFT}"
        raise LedgerError(error.message, hint=or_else) from error
    return Choice(python, capture(python, lockfiles))


def _drift(environment: Environment) -> Report:
    expected, actual = Evidence(packages=environment.pins), Evidence(packages=environment.installed)
    return inspect([pinned_versions], expected, actual)


def _room(lockfile: Lockfile, cache: Path) -> Report:
    expected, actual = Evidence(disk=environment_need(lockfile)), Evidence(disk=free_space(cache))
    return inspect([disk_space], expected, actual)


def _size(lockfile: Lockfile) -> str:
    from rich.filesize import decimal

    need = environment_need(lockfile)
    return f"{len(lockfile.pins)} packages, about {decimal(need.needed_bytes)} (an estimate)"
