"""Resolving a name to one side of a comparison, and reading that.

A name is tried in this order: `current`; a file or folder; a lockfile's name; the id of a recorded
verification; a recorded run or experiment.
"""

import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from ledger.environments.diff import from_journal, from_tool_folders
from ledger.environments.diff.from_interpreter import side_of_facts
from ledger.environments.diff.from_lockfiles import side_of_lockfile, side_of_requirements
from ledger.environments.diff.ranking import packages
from ledger.environments.lockfile import Lockfile
from ledger.environments.lockfile import find as find_lockfiles
from ledger.environments.lockfile import names as lockfile_names
from ledger.environments.package_lists import EXPORTS
from ledger.environments.pin import SUFFIXES
from ledger.errors import LedgerError, UsageError
from ledger.evidence.environment import EnvironmentSide
from ledger.journal.run import Run
from ledger.journal.runs import find as find_run
from ledger.journal.runs import load_runs, nearest
from ledger.journal.store import Entry
from ledger.workspace import Workspace
from runners.environments.inspection import facts_of

CURRENT = "current"
KINDS = (
    "name current, a lockfile, a list of packages (pip freeze, conda list), a run, an experiment, "
    "an interpreter, the folder of an offline W&B run, or that of a checkpoint"
)
EXECUTABLES = ("bin/python", "Scripts/python.exe")

Sides = Sequence[EnvironmentSide]


@dataclass(frozen=True, slots=True)
class SideSource:
    """Where a side is read from. `interpreter` and `lockfiles` are set where it has an environment.

    `checkpoint` is the one that was verified, or the newest of the run's that still exists.

    `read` takes the possible other sides, so that an interpreter digests only the packages that they digest;
    it returns one side for each variant of a lockfile.
    """

    read: Callable[[Sides], list[EnvironmentSide]]
    interpreter: Path | None = None
    lockfiles: tuple[Lockfile, ...] = ()
    run: Run | None = None
    checkpoint: Path | None = None


def read_pair(a: SideSource, b: SideSource) -> tuple[EnvironmentSide, EnvironmentSide]:
    """Both sides; among the variants of lockfiles, the pair that differs least.

    An interpreter is read last, so that only the packages of the other side are inspected.
    """
    first, second = (b, a) if a.interpreter else (a, b)
    known = first.read(())
    found = second.read(known)
    before, after = (found, known) if a.interpreter else (known, found)
    pairs = product(before, after)
    return min(pairs, key=lambda pair: len(packages(pair[0], pair[1])))


def resolve(name: str, workspace: Workspace | None) -> SideSource:
    """The source that `name` stands for. Raises UsageError, with similar names, where there is none."""
    if name == CURRENT:
        return _interpreter(Path(sys.executable), CURRENT)
    path = Path(name)
    if path.exists():
        return _folder(path, workspace) if path.is_dir() else _file(path)
    if workspace is not None:
        variants = _variants(name, workspace)
        return _lockfiles(variants) if variants else _recorded(name, workspace)
    raise UsageError(f"there is no {name}, and no ledger here to look it up in", hint=KINDS)


def with_imports(side: EnvironmentSide, imported: Collection[str] | None) -> EnvironmentSide:
    """The side with the given imports, where it has none of its own."""
    return (
        side if side.imported is not None or imported is None else replace(side, imported=frozenset(imported))
    )


def _file(path: Path) -> SideSource:
    name = path.name
    if name.startswith("python") and os.access(path, os.X_OK):
        return _interpreter(path, str(path))
    if name in (*from_tool_folders.HF_SECTIONS.values(), "trainer_state.json"):
        return _one(lambda: from_tool_folders.side_of_hugging_face(path.parent))
    if name.endswith(".wandb"):
        return _one(lambda: from_tool_folders.side_of_wandb(path.parent))
    if name.endswith((*SUFFIXES, ".in")) or name in EXPORTS:
        return _list_of_packages(path)
    raise UsageError(f"{path} is not a readable environment", hint=KINDS)


def _folder(path: Path, workspace: Workspace | None) -> SideSource:
    for executable in EXECUTABLES:
        if (path / executable).exists():
            return _interpreter(path / executable, str(path))
    if from_tool_folders.is_wandb(path):
        return _one(lambda: from_tool_folders.side_of_wandb(path))
    if workspace is not None:
        entries = from_journal.all_entries(workspace)
        if (entry := from_journal.verification_of(entries, path, workspace.root)) is not None:
            return _verification(entry, entries, workspace)
    if from_tool_folders.is_hugging_face(path):
        return _one(lambda: from_tool_folders.side_of_hugging_face(path))
    raise UsageError(f"{path} is not an environment, a W&B run or a checkpoint", hint=KINDS)


def _list_of_packages(path: Path) -> SideSource:
    """A lockfile or, where it does not pin everything, a list of requirements."""
    try:
        variants = find_lockfiles(str(path), Path())
    except LedgerError:
        variants = []
    if any(one.pins for one in variants):
        return _lockfiles(variants)
    side = side_of_requirements(path)  # raises an error that names the line
    return _one(lambda: side)


def _variants(name: str, workspace: Workspace) -> list[Lockfile]:
    is_named = name in lockfile_names(workspace.lockfiles) or (workspace.lockfiles / f"{name}.txt").is_file()
    return find_lockfiles(name, workspace.lockfiles) if is_named else []


def _recorded(name: str, workspace: Workspace) -> SideSource:
    entries = from_journal.all_entries(workspace)
    facts = from_journal.environments(entries)
    if (entry := from_journal.verification_by_id(entries, name)) is not None:
        return _verification(entry, entries, workspace)
    runs = load_runs(workspace)
    try:
        run = find_run(runs, name)
    except UsageError as error:
        if error.message.startswith("no run"):
            raise UsageError(f"there is no {name}: {KINDS}", hint=nearest(runs, name)) from error
        raise
    return _run(run, facts, workspace)


def _verification(entry: Entry, entries: Sequence[Entry], workspace: Workspace) -> SideSource:
    facts = from_journal.environments(entries)
    run = next((one for one in load_runs(workspace) if one.id == entry.body.get("run")), None)
    return SideSource(
        lambda _others: [from_journal.side_of_verification(entry, facts, run)],
        run=run,
        checkpoint=workspace.root / entry.body["checkpoint"],
    )


def _run(run: Run, facts: from_journal.Facts, workspace: Workspace) -> SideSource:
    return SideSource(
        lambda _others: [from_journal.side_of_run(run, facts)],
        run=run,
        checkpoint=_newest_checkpoint(run, workspace),
    )


def _newest_checkpoint(run: Run, workspace: Workspace) -> Path | None:
    saved = [workspace.root / one.path for one in run.checkpoints]
    return next((path for path in reversed(saved) if path.is_dir()), None)


def _interpreter(path: Path, name: str) -> SideSource:
    def read(others: Sides) -> list[EnvironmentSide]:
        named = {
            one: package
            for side in others
            for one, package in (side.packages or {}).items()
            if not package.marker
        }
        digested = {one for one, package in named.items() if package.files}
        return [side_of_facts(name, facts_of(path, digested, named.keys() - digested))]

    return SideSource(read, interpreter=path)


def _lockfiles(variants: Sequence[Lockfile], markers: Mapping[str, str] | None = None) -> SideSource:
    return SideSource(
        lambda _others: [side_of_lockfile(one, markers) for one in variants], lockfiles=tuple(variants)
    )


def _one(read: Callable[[], EnvironmentSide]) -> SideSource:
    return SideSource(lambda _others: [read()])
