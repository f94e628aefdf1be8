"""Which experiments have another lockfile than in the base, what differs, and how they take it."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ledger.commands.diff_env.compare import EnvironmentComparison, compare
from ledger.commands.env import named
from ledger.commands.gate.changed_specs import read_spec
from ledger.commands.gate.context import LOCKFILES, GateContext, GateTable
from ledger.commands.gate.lockfile_rehearsal import rehearse_both
from ledger.environments.diff.from_journal import imports_of
from ledger.environments.lockfile import Lockfile, is_path
from ledger.errors import LedgerError
from ledger.evidence.gate import LockChange, PackageChange, Rehearsals, Rehearsed
from ledger.evidence.suspects import Kind
from ledger.journal.runs import load_runs
from ledger.specs.experiment import ExperimentSpec
from ledger.specs.loader import names
from ledger.workspace import Workspace
from runners.environments.inspection import capture

HEADINGS = ("what", "before", "after", "imported")
MOST_ROWS = 40
IMPORTED = {True: "yes", False: "no", None: "not known"}
Pair = tuple[Lockfile, Lockfile]


@dataclass(frozen=True, slots=True)
class LockfileChanges:
    """What changed for which experiments, and what came of it. `missing`: specs whose lockfile is gone."""

    changes: tuple[LockChange, ...]
    rehearsals: Rehearsals
    missing: tuple[str, ...]
    tables: tuple[GateTable, ...]


def look(scene: GateContext) -> LockfileChanges:
    """Hold each experiment's lockfile against the base's; with --rehearse, its behaviour too."""
    changes: list[LockChange] = []
    imports = _imports(scene)
    rehearsals = Rehearsals(asked=scene.rehearse)
    compared: dict[str, EnvironmentComparison] = {}
    for experiment, pair in _pairs(scene):
        change = _change(experiment, pair, imports.get(experiment))
        if scene.rehearse and change.imported_changes:
            change, rehearsals = _rehearse(scene, change, pair, rehearsals)
        compared[experiment] = _compare(scene, change, pair, rehearsals.rehearsed.get(experiment))
        changes.append(change)
    return LockfileChanges(tuple(changes), rehearsals, tuple(_missing(scene)), tuple(_tables(compared)))


def _pairs(scene: GateContext) -> Iterator[tuple[str, Pair]]:
    """Each experiment that stands on both sides, with the lockfile it had and the one it has."""
    for name in names(scene.workspace.experiments):
        if pair := _pair(_variants(scene, name, scene.before), _variants(scene, name, scene.workspace)):
            yield name, pair


def _variants(scene: GateContext, name: str, workspace: Workspace) -> list[Lockfile]:
    spec = read_spec(name, workspace)
    if not isinstance(spec, ExperimentSpec):
        return []  # new, or the specs' check tells what is wrong with it
    if workspace is scene.before and spec.environment and is_path(spec.environment):
        elsewhere = (scene.workspace.root / spec.environment).resolve()
        if elsewhere.is_relative_to(scene.workspace.root):
            scene.history.export(scene.base, [elsewhere], LOCKFILES, scene.before.root)
    try:
        return named(spec.environment, workspace)
    except LedgerError:
        return []  # `_missing` tells of it


def _pair(before: Sequence[Lockfile], after: Sequence[Lockfile]) -> Pair | None:
    """The two that differ: of several variants the one that this machine's environment follows."""
    same_name = {one.name: one for one in after}
    pairs = [(old, same_name.get(old.name, after[0])) for old in before if after]
    differing = [(old, new) for old, new in pairs if old.digest != new.digest]
    if len(differing) < 2:
        return differing[0] if differing else None
    mine = capture(Path(sys.executable), list(before)).lockfile
    return next((pair for pair in differing if pair[0] == mine), differing[0])


def _imports(scene: GateContext) -> dict[str, frozenset[str]]:
    """What the workers of each experiment's runs imported, by experiment, where they told."""
    found: dict[str, frozenset[str]] = {}
    with suppress(LedgerError):  # the journal's own check tells what is wrong with it
        for run in load_runs(scene.workspace):
            if imported := imports_of(run):
                found[run.experiment] = found.get(run.experiment, frozenset()) | imported
    return found


def _change(experiment: str, pair: Pair, imported: frozenset[str] | None) -> LockChange:
    found = compare(str(pair[0].path), str(pair[1].path), imported=imported)
    packages = tuple(
        PackageChange(one.name, one.before, one.after) for one in found.suspects if one.kind is Kind.PACKAGE
    )
    return LockChange(experiment, pair[0].path.name, pair[1].path.name, packages, imported)


def _rehearse(
    scene: GateContext, change: LockChange, pair: Pair, rehearsals: Rehearsals
) -> tuple[LockChange, Rehearsals]:
    """Rehearse under both; what the old one's worker imported is known from then on."""
    seen, imported = rehearse_both(scene, change, pair)
    change = replace(change, imported=change.imported or imported)
    return change, replace(rehearsals, rehearsed={**rehearsals.rehearsed, change.experiment: seen})


def _compare(
    scene: GateContext, change: LockChange, pair: Pair, seen: Rehearsed | None
) -> EnvironmentComparison:
    """The runs under both lockfiles where there are two, else the lockfiles themselves."""
    if seen and seen.old.run and seen.new.run:
        return compare(seen.old.run, seen.new.run, scene.workspace)
    return compare(str(pair[0].path), str(pair[1].path), imported=change.imported)


def _tables(compared: Mapping[str, EnvironmentComparison]) -> Iterator[GateTable]:
    """One table for all experiments that show the same."""
    same: dict[tuple[tuple[str, ...], ...], list[str]] = {}
    for experiment, found in compared.items():
        same.setdefault(_rows(found), []).append(experiment)
    for rows, experiments in same.items():
        yield GateTable(f"lockfile of {', '.join(experiments)}", HEADINGS, rows)


def _rows(found: EnvironmentComparison) -> tuple[tuple[str, ...], ...]:
    told = [one for one in found.suspects if one.hard or one.kind is Kind.PACKAGE]
    rows = [
        (
            one.name,
            _shown(one.before),
            _shown(one.after),
            IMPORTED[one.imported] if one.kind is Kind.PACKAGE else "",
        )
        for one in told[:MOST_ROWS]
    ]
    if len(told) > MOST_ROWS:
        rows.append((f"and {len(told) - MOST_ROWS} more", "", "", ""))
    return tuple(rows)


def _shown(value: object) -> str:
    return "-" if value is None else str(value)


def _missing(scene: GateContext) -> Iterator[str]:
    """Why a lockfile that a spec names cannot be read; once for each."""
    problems: dict[str, list[str]] = {}
    for name in names(scene.workspace.experiments):
        spec = read_spec(name, scene.workspace)
        try:
            named(spec.environment if isinstance(spec, ExperimentSpec) else None, scene.workspace)
        except LedgerError as error:
            problems.setdefault(error.message, []).append(name)
    for message, experiments in problems.items():
        yield f"{', '.join(experiments)} cannot be run: {message}"
