"""Which experiments have another lockfile than in the base, what differs, and with which effect."""

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
    """What changed for which experiments, and the rehearsals. `missing`: specs whose lockfile is gone."""

    changes: tuple[LockChange, ...]
    rehearsals: Rehearsals
    missing: tuple[str, ...]
    tables: tuple[GateTable, ...]


def find_lockfile_changes(context: GateContext) -> LockfileChanges:
    """Compare each experiment's lockfile with the base's; with --rehearse, its behaviour too."""
    changes: list[LockChange] = []
    imports = _imports(context)
    rehearsals = Rehearsals(asked=context.rehearse)
    compared: dict[str, EnvironmentComparison] = {}
    for experiment, pair in _pairs(context):
        change = _change(experiment, pair, imports.get(experiment))
        if context.rehearse and change.imported_changes:
            change, rehearsals = _rehearse(context, change, pair, rehearsals)
        compared[experiment] = _compare(context, change, pair, rehearsals.rehearsed.get(experiment))
        changes.append(change)
    return LockfileChanges(tuple(changes), rehearsals, tuple(_missing(context)), tuple(_tables(compared)))


def _pairs(context: GateContext) -> Iterator[tuple[str, Pair]]:
    """Each experiment that both sides have, with its old and its new lockfile."""
    for name in names(context.workspace.experiments):
        if pair := _pair(
            _variants(context, name, context.before), _variants(context, name, context.workspace)
        ):
            yield name, pair


def _variants(context: GateContext, name: str, workspace: Workspace) -> list[Lockfile]:
    spec = read_spec(name, workspace)
    if not isinstance(spec, ExperimentSpec):
        return []  # new, or reported by the check of specs
    if workspace is context.before and spec.environment and is_path(spec.environment):
        elsewhere = (context.workspace.root / spec.environment).resolve()
        if elsewhere.is_relative_to(context.workspace.root):
            context.history.export(context.base, [elsewhere], LOCKFILES, context.before.root)
    try:
        return named(spec.environment, workspace)
    except LedgerError:
        return []  # reported by `_missing`


def _pair(before: Sequence[Lockfile], after: Sequence[Lockfile]) -> Pair | None:
    """The two that differ: of several variants, the one that this machine's environment follows."""
    same_name = {one.name: one for one in after}
    pairs = [(old, same_name.get(old.name, after[0])) for old in before if after]
    differing = [(old, new) for old, new in pairs if old.digest != new.digest]
    if len(differing) < 2:
        return differing[0] if differing else None
    mine = capture(Path(sys.executable), list(before)).lockfile
    return next((pair for pair in differing if pair[0] == mine), differing[0])


def _imports(context: GateContext) -> dict[str, frozenset[str]]:
    """What the workers of each experiment's runs imported, by experiment, if recorded."""
    found: dict[str, frozenset[str]] = {}
    with suppress(LedgerError):  # reported by the check of the journal
        for run in load_runs(context.workspace):
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
    context: GateContext, change: LockChange, pair: Pair, rehearsals: Rehearsals
) -> tuple[LockChange, Rehearsals]:
    """Rehearse under both; the change then has what the worker under the old one imported."""
    seen, imported = rehearse_both(context, change, pair)
    change = replace(change, imported=change.imported or imported)
    return change, replace(rehearsals, rehearsed={**rehearsals.rehearsed, change.experiment: seen})


def _compare(
    context: GateContext, change: LockChange, pair: Pair, seen: Rehearsed | None
) -> EnvironmentComparison:
    """The runs under both lockfiles if there are two, else the lockfiles themselves."""
    if seen and seen.old.run and seen.new.run:
        return compare(seen.old.run, seen.new.run, context.workspace)
    return compare(str(pair[0].path), str(pair[1].path), imported=change.imported)


def _tables(compared: Mapping[str, EnvironmentComparison]) -> Iterator[GateTable]:
    """One table for all experiments with the same differences."""
    same: dict[tuple[tuple[str, ...], ...], list[str]] = {}
    for experiment, found in compared.items():
        same.setdefault(_rows(found), []).append(experiment)
    for rows, experiments in same.items():
        yield GateTable(f"lockfile of {', '.join(experiments)}", HEADINGS, rows)


def _rows(found: EnvironmentComparison) -> tuple[tuple[str, ...], ...]:
    shown = [one for one in found.suspects if one.hard or one.kind is Kind.PACKAGE]
    rows = [
        (
            one.name,
            _shown(one.before),
            _shown(one.after),
            IMPORTED[one.imported] if one.kind is Kind.PACKAGE else "",
        )
        for one in shown[:MOST_ROWS]
    ]
    if len(shown) > MOST_ROWS:
        rows.append((f"and {len(shown) - MOST_ROWS} more", "", "", ""))
    return tuple(rows)


def _shown(value: object) -> str:
    return "-" if value is None else str(value)


def _missing(context: GateContext) -> Iterator[str]:
    """Why a lockfile that a spec names cannot be read; each reason once."""
    problems: dict[str, list[str]] = {}
    for name in names(context.workspace.experiments):
        spec = read_spec(name, context.workspace)
        try:
            named(spec.environment if isinstance(spec, ExperimentSpec) else None, context.workspace)
        except LedgerError as error:
            problems.setdefault(error.message, []).append(name)
    for message, experiments in problems.items():
        yield f"{', '.join(experiments)} cannot be run: {message}"
