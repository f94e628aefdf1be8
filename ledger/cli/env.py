"""`ledger env`: show, pin and build the environments that experiments run in."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.cli import complete
from ledger.cli.output import OutputFile, echo, emit, exit_for, json_option
from ledger.errors import Exit, UsageError

if TYPE_CHECKING:
    from ledger.display.table import Table
    from ledger.environments.environment import Environment
    from ledger.environments.lockfile import Lockfile
    from runners.environments.cache import BuiltEnvironment


@click.group()
def command() -> None:
    """Show, pin and build the environments that experiments run in."""


@command.command()
@click.option(
    "--env",
    "name",
    metavar="NAME|LOCKFILE",
    shell_complete=complete.lockfiles,
    help="The lockfile to compare with [default: the nearest one].",
)
@click.option("--python", type=click.Path(path_type=Path), help="The interpreter [default: ledger's own].")
@json_option
def show(name: str | None, python: Path | None, as_json: bool) -> int:
    """Show an interpreter's environment, its digests, and how it differs from a lockfile.

    \b
    ledger env show                               this environment
    ledger env show --python ../old/bin/python    another one
    ledger env show --env mt-4.57.6 --json        for a program
    """
    import sys

    from guards.environment import GUARDS
    from guards.guard import inspect
    from ledger.display.results import report_table, verdict_line
    from ledger.evidence import Evidence
    from ledger.evidence.environment import Pins
    from runners.environments.inspection import capture

    environment = capture(python or Path(sys.executable), _variants(name))
    report = inspect(GUARDS, Evidence().including(Pins, environment.pins), Evidence(environment.installed))
    lockfile = environment.lockfile
    document = {
        "lockfile": {"name": lockfile.name, "digest": lockfile.digest} if lockfile else None,
        "digest": environment.digest,
        "facts": environment.facts,
        "machine_digest": environment.machine_digest,
        "machine": environment.machine,
        "reported": environment.reported,
        "installed": dict(environment.installed.versions),
        **report.to_json(),
    }
    subject = f"compared with {lockfile.name}" if lockfile else "no lockfile to compare with"
    emit(document, as_json, _table(environment), "", report_table(report), verdict_line(report, subject))
    return exit_for(report)


@command.command()
@click.argument("name", shell_complete=complete.lockfiles)
@click.option(
    "--upgrade", is_flag=True, help="Take the newest versions instead of keeping those that still fit."
)
@click.option("--pylock", type=OutputFile(), help="Also write the pins to a pylock.toml.")
@json_option
def lock(name: str, upgrade: bool, pylock: Path | None, as_json: bool) -> int:
    """Compile lockfiles/NAME.in into a lockfile: every package pinned, with hashes.

    \b
    ledger env lock mt-5.0.0                       keeps the versions that still fit
    ledger env lock mt-5.0.0 --upgrade             takes the newest
    ledger env lock mt-5.0.0 --pylock pylock.toml  also in the format of other tools

    If it asks for torch, NAME-cpu.txt has the same with torch's CPU build, if that is available here.
    """
    from ledger.commands.env import lock_named
    from ledger.workspace import Workspace

    written = lock_named(Workspace.find(), name, pylock, lambda text: echo(text, err=True), upgrade=upgrade)
    if as_json:
        emit({"written": [str(path) for path in written], "findings": [], "skips": []}, True)
    else:
        echo(*map(str, written))
    return Exit.PASSED


@command.command()
@click.argument("name", metavar="NAME|LOCKFILE", shell_complete=complete.lockfiles)
@json_option
def build(name: str, as_json: bool) -> int:
    """Build the environment of a lockfile, if it does not exist, and print its Python.

    \b
    ledger env build mt-5.0.0
    LEDGER_ENVIRONMENTS=/data/environments ledger env build mt-5.0.0

    Environments are in the user's cache, one for each content of a lockfile.
    """
    from ledger.display.progress import show_progress
    from runners.environments.build import default_cache, ensure, interpreter

    variants, cache = _variants(name), default_cache()
    with show_progress("steps") as report:
        python = ensure(variants, cache, report)
    built = next(one.name for one in variants if interpreter(one, cache) == python)
    if as_json:
        emit({"python": str(python), "lockfile": built, "findings": [], "skips": []}, True)
    else:
        echo(str(python))
    return Exit.PASSED


@command.command("list")
@json_option
def list_(as_json: bool) -> int:
    """List the environments that were built on this machine, with their sizes.

    \b
    ledger env list
    """
    from runners.environments.build import default_cache
    from runners.environments.cache import built_environments

    found = built_environments(default_cache())
    document = {"environments": [one.to_json() for one in found], "findings": [], "skips": []}
    emit(document, as_json, _environments(found))
    return Exit.PASSED


@command.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--dry-run", is_flag=True, help="Only list what would be removed.")
@json_option
def prune(names: tuple[str, ...], dry_run: bool, as_json: bool) -> int:
    """Remove built environments by the NAME of their lockfile or folder, and what interrupted builds left.

    \b
    ledger env prune                     only what interrupted builds left
    ledger env prune mt-5.0.0            and every environment that was built from mt-5.0.0
    ledger env prune mt-5.0.0 --dry-run

    A removed environment is built again when a run needs it.
    """
    from runners.environments import cache
    from runners.environments.build import default_cache

    removed = cache.prune(default_cache(), names, dry_run=dry_run)
    document = {
        "removed": [one.to_json() for one in removed],
        "dry_run": dry_run,
        "findings": [],
        "skips": [],
    }
    emit(document, as_json, _environments(removed), "nothing was removed: --dry-run" if dry_run else "")
    return Exit.PASSED


@command.command("init")
@click.argument("name", default="mt-4.57.6", shell_complete=complete.lockfiles)
@json_option
def init_(name: str, as_json: bool) -> int:
    """Put a lockfile that comes with ledger into this repository's lockfiles/, for specs to name.

    \b
    ledger env init                 transformers 4.57.6, for CUDA and for the CPU
    ledger env init mt-5-latest     a newer one

    Existing files stay as they are. To change versions, edit NAME.in and run: ledger env lock NAME
    """
    from ledger.environments.packaged import add_lockfiles
    from ledger.utils.paths import relative_if_inside
    from ledger.workspace import Workspace

    workspace = Workspace.find()
    added = add_lockfiles(name, workspace.lockfiles)
    written = [relative_if_inside(path, workspace.root) for path in added]
    document = {"written": written, "findings": [], "skips": []}
    emit(document, as_json, "\n".join(written) or f"lockfiles/ has all files of {name} already")
    return Exit.PASSED


def _environments(found: "Sequence[BuiltEnvironment]") -> "Table | str":
    from rich.filesize import decimal

    from ledger.display.table import Column, Table

    if not found:
        return "none"
    rows = [
        (one.lockfile or "interrupted build", one.python, one.built, decimal(one.size), one.folder.name)
        for one in found
    ]
    return Table([Column("lockfile", "whole"), "Python", "built", "size", "folder"], rows)


def _variants(name: str | None) -> "list[Lockfile]":
    """The named lockfile's variants; without a name those of all lockfiles, to choose the nearest from."""
    from ledger.environments.lockfile import find, is_path, names
    from ledger.workspace import Workspace

    if name and is_path(name):
        return find(name, Path())
    try:
        folder = Workspace.find().lockfiles
    except UsageError:
        if name:
            raise
        return []
    wanted = [name] if name else names(folder)
    return [lockfile for one in wanted for lockfile in find(one, folder)]


def _table(environment: "Environment") -> "Table":
    """What each digest covers."""
    from ledger.display.results import pairs

    lockfile, packages = environment.lockfile, len(environment.facts["packages"])
    others = len(environment.installed.versions) - packages
    return pairs(
        [
            ("interpreter", str(environment.reported["interpreter"])),
            ("lockfile", f"{lockfile.path.name}, {packages} of its packages here" if lockfile else "none"),
            ("environment", _short(environment.digest)),
            ("", f"over {_covered(environment)}"),
            ("machine", _short(environment.machine_digest)),
            ("", f"over {_machine(environment)}"),
            ("in neither", f"{others} other packages, {_reported(environment)}"),
        ]
    )


def _short(digest: str) -> str:
    """Enough of a digest to compare by eye; `--json` has the whole."""
    return digest[: len("sha256:") + 16]


def _covered(environment: "Environment") -> str:
    python, torch = environment.facts["python"], environment.facts["torch"]
    packages = (
        "the pinned packages (version, files, origin)" if environment.lockfile else "every package (version)"
    )
    build = f", torch's build ({torch})" if torch else ""
    return f"{packages}, Python {python['version']} ({python['implementation']}){build}"


def _machine(environment: "Environment") -> str:
    machine = environment.machine
    facts = {"CPU": machine["cpu_capability"], "CUDA": machine["cuda"], "cuDNN": machine["cudnn"]}
    return ", ".join(
        [machine["platform"], machine["libc"]]
        + [f"{name} {value}" for name, value in facts.items() if value]
        + [f"{name}={value}" for name, value in machine["variables"].items()]
    )


def _reported(environment: "Environment") -> str:
    reported = environment.reported
    driver = [f"NVIDIA driver {reported['nvidia_driver']}"] if reported["nvidia_driver"] else []
    return ", ".join([f"host {reported['host']}", f"kernel {reported['kernel']}", *driver, *reported["gpus"]])
