"""The interpreter that an experiment runs with, and `ledger env lock`.

It is this interpreter where its environment matches the lockfile, otherwise that of a built environment.
"""

import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from guards.environment import version_drift
from guards.guard import inspect
from guards.preflight import insufficient_disk
from ledger.commands.reporter import Reporter
from ledger.commands.run.preflight import allow
from ledger.environments.environment import Environment
from ledger.environments.lockfile import Lockfile, find, is_path
from ledger.errors import LedgerError, UsageError
from ledger.evidence import Evidence
from ledger.evidence.environment import Pins
from ledger.findings import Report, Verdict
from ledger.workspace import Workspace
from runners.environments.build import build, built, default_cache, obtainable
from runners.environments.inspection import capture
from runners.environments.installers import find_uv
from runners.environments.locking import lock_environment, write_pylock
from runners.resources.disk import environment_need, free_space

DRIFT = version_drift.CODE


@dataclass(frozen=True, slots=True)
class Choice:
    """An interpreter and its environment; `report` says why the pinned one was not built."""

    python: Path
    environment: Environment
    report: Report = field(default_factory=Report)


def named(name: str | None, workspace: Workspace) -> list[Lockfile]:
    """The lockfile variants of the environment that a spec names; a path starts at the repository's root.

    Raises UsageError when there is none, LedgerError when one cannot be read.
    """
    if name is None:
        return []
    return find(str(workspace.root / name) if is_path(name) else name, workspace.lockfiles)


def choose(lockfiles: Sequence[Lockfile], allowed: Collection[str], voice: Reporter) -> Choice:
    """This interpreter where it matches one of `lockfiles` or drift is allowed; else a built one.

    Where the disk has no room to build, this interpreter with a report of that. Raises LedgerError where the
    environment cannot be built.
    """
    here = Path(sys.executable)
    environment = capture(here, lockfiles)
    drift = _drift(environment)
    if drift.verdict is not Verdict.FAIL or DRIFT in allowed:
        return Choice(here, environment)
    voice.say(drift.findings[0].message)
    try:
        python, room = _built_or_build(lockfiles, allowed, voice)
    except UsageError:
        raise
    except LedgerError as error:
        hint = f"{error.hint}; or run with what is installed: --allow {DRIFT}"
        raise LedgerError(error.message, hint=hint) from error
    if python is None:
        return Choice(here, environment, room)
    voice.say(f"running with {python}")
    return Choice(python, capture(python, lockfiles), room)


def _built_or_build(
    lockfiles: Sequence[Lockfile], allowed: Collection[str], voice: Reporter
) -> tuple[Path | None, Report]:
    """The Python of the pinned environment, None where the disk is too full; and the report on that."""
    cache = default_cache()
    if python := built(lockfiles, cache):
        return python, Report()
    with voice.progress("steps") as tell:
        lockfile = obtainable(lockfiles, cache, tell)
    room = Report(findings=allow(_room(lockfile, cache), allowed).findings)
    if room.verdict is Verdict.FAIL:
        return None, room
    voice.say(f"building {lockfile.path.name} in {cache}: {_size(lockfile)}")
    with voice.progress("steps") as tell:
        return build(lockfile, cache, tell), room


def lock_named(
    workspace: Workspace, name: str, pylock: Path | None, say: Callable[[str], None], *, upgrade: bool
) -> list[Path]:
    """Compile `lockfiles/NAME.in`, and also write its pins to `pylock`; return the files written.

    Raises UsageError where there is no such source, LedgerError where it cannot be compiled.
    """
    from packaging.pylock import is_valid_pylock_path

    source = workspace.lockfiles / f"{name}.in"
    if not source.is_file():
        sources = sorted(path.stem for path in workspace.lockfiles.glob("*.in"))
        raise UsageError(
            f"there is no {source}",
            hint=f"write one requirement on each line of it; known: {', '.join(sources) or 'none'}",
        )
    uv = find_uv() if pylock else None
    if pylock and uv is None:
        raise LedgerError("only uv can write a pylock.toml, and it is not installed", hint="pip install uv")
    if pylock and not is_valid_pylock_path(pylock):
        raise UsageError(
            f"{pylock} is not a valid name for a pylock.toml",
            hint=f"name it pylock.toml or pylock.{name}.toml",
        )
    written = lock_environment(source, workspace.root, ["--upgrade"] if upgrade else [], say)
    if pylock and uv:
        write_pylock(written[0], pylock, uv)
        say(f"{pylock} contains the URLs of the files: check them before you commit it")
        written.append(pylock)
    return written


def _drift(environment: Environment) -> Report:
    expected = Evidence().including(Pins, environment.pins)
    return inspect([version_drift], expected, Evidence(environment.installed))


def _room(lockfile: Lockfile, cache: Path) -> Report:
    expected, actual = Evidence(environment_need(lockfile)), Evidence(free_space(cache))
    return inspect([insufficient_disk], expected, actual)


def _size(lockfile: Lockfile) -> str:
    from rich.filesize import decimal

    need = environment_need(lockfile)
    return f"{len(lockfile.pins)} packages, about {decimal(need.needed_bytes)} (an estimate)"
