"""`ledger diff-env`: the differences between two environments or runs, most suspicious first.

Other commands call `compare`, or `compare_sides` with sides that they read themselves.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from guards.environment import DIFFERENCES
from guards.guard import inspect
from ledger.commands.diff_env.sources import CURRENT, SideSource, read_pair, resolve, with_imports
from ledger.commands.reporter import Reporter
from ledger.environments.diff.from_journal import imports_of
from ledger.environments.diff.ranking import suspects
from ledger.errors import UsageError
from ledger.evidence import Evidence
from ledger.evidence.environment import EnvironmentSide
from ledger.evidence.suspects import Suspect
from ledger.findings import Json, Report, Verdict
from ledger.journal.run import Run
from ledger.journal.runs import load_runs
from ledger.utils.mapping_diff import Difference, differences
from ledger.workspace import Workspace

if TYPE_CHECKING:
    from ledger.commands.diff_env.bisect import Bisection
    from runners.environments.api_changes import ApiChange


@dataclass(frozen=True, slots=True)
class DiffEnvRequest:
    """The arguments: up to two names, and what else to compare."""

    names: tuple[str, ...] = ()
    effective: bool = False
    api: bool = False
    bisect: bool = False
    experiment: str | None = None


@dataclass(frozen=True, slots=True)
class EnvironmentComparison:
    """Two sides and their differences, ranked. `inputs` differ besides the environment: code, data, spec.

    `borrowed` is the run whose imports rank the packages, where neither side has recorded its own.
    """

    a: EnvironmentSide
    b: EnvironmentSide
    suspects: tuple[Suspect, ...]
    inputs: tuple[Difference, ...]
    report: Report
    borrowed: str | None = None
    api: "tuple[ApiChange, ...] | None" = None
    bisection: "Bisection | None" = None

    @property
    def hard(self) -> tuple[Suspect, ...]:
        """The suspects that can change a result and that a lockfile or a spec could have pinned."""
        return tuple(one for one in self.suspects if one.hard)

    def to_json(self) -> dict[str, Json]:
        """The comparison as `--json` shows it."""
        return {
            "a": _head(self.a),
            "b": _head(self.b),
            "imports_of": self.borrowed,
            "suspects": [one.to_json() for one in self.suspects],
            "inputs": [one.to_json() for one in self.inputs],
            "api": None if self.api is None else [one.to_json() for one in self.api],
            "bisection": self.bisection and self.bisection.to_json(),
            **self.report.to_json(),
        }


def diff_env(workspace: Workspace | None, request: DiffEnvRequest, voice: Reporter) -> EnvironmentComparison:
    """Run the comparison that was requested. Raises LedgerError for what cannot be read or built."""
    a, b = (resolve(name, workspace) for name in choose(request.names, workspace))
    found = compare_sources(a, b, workspace)
    if request.effective:
        found = _with_defaults(found, (a, b), request, workspace, voice)
    if request.api:
        found = replace(found, api=_api(found, (a, b), request, workspace, voice))
    if request.bisect:
        found = replace(found, bisection=_bisect(found, (a, b), request, workspace, voice))
    return found


def compare(
    a: str, b: str, workspace: Workspace | None = None, *, imported: Collection[str] | None = None
) -> EnvironmentComparison:
    """Compare the sides that two names stand for; `imported` ranks packages where neither side has imports.

    Raises UsageError for an unknown name, LedgerError for what cannot be read.
    """
    return compare_sources(resolve(a, workspace), resolve(b, workspace), workspace, imported)


def compare_sources(
    a: SideSource, b: SideSource, workspace: Workspace | None = None, imported: Collection[str] | None = None
) -> EnvironmentComparison:
    """The same for resolved sources."""
    before, after = read_pair(a, b)
    borrowed = None
    if imported is None and before.imported is None and after.imported is None and workspace is not None:
        borrowed = _run_that_imported(workspace, [one.name for one in (*a.lockfiles, *b.lockfiles)])
        imported = imports_of(borrowed) if borrowed else None
    return compare_sides(before, after, imported, borrowed.id if borrowed else None)


def compare_sides(
    a: EnvironmentSide,
    b: EnvironmentSide,
    imported: Collection[str] | None = None,
    borrowed: str | None = None,
) -> EnvironmentComparison:
    """Two sides, ranked and inspected. Pure."""
    if a.imported is None and b.imported is None:
        a = with_imports(a, imported)
    return EnvironmentComparison(
        a,
        b,
        tuple(suspects(a, b)),
        tuple(one for one in differences(a.inputs, b.inputs) if None not in (one.before, one.after)),
        inspect(DIFFERENCES, Evidence(a), Evidence(b)),
        borrowed,
    )


def choose(names: tuple[str, ...], workspace: Workspace | None) -> tuple[str, str]:
    """Both names, with the defaults: B is `current`, A is the newest run that passed."""
    if len(names) == 2:
        return names[0], names[1]
    if len(names) == 1:
        return names[0], CURRENT
    if workspace is None:
        raise UsageError("there is no ledger here", hint="name what to compare: ledger diff-env A B")
    passed = [run for run in load_runs(workspace) if run.verdict is Verdict.PASS]
    if not passed:
        raise UsageError("no run on the record passed", hint="name what to compare: ledger diff-env A B")
    return passed[-1].id, CURRENT


def _run_that_imported(workspace: Workspace, lockfiles: Collection[str]) -> Run | None:
    """The newest run with recorded imports among those pinned to one of these lockfiles."""
    if not lockfiles:
        return None
    names = {name.removesuffix("-cpu") for name in lockfiles}
    runs = reversed(load_runs(workspace))
    return next((run for run in runs if run.lockfile_name in names and imports_of(run)), None)


def _with_defaults(
    found: EnvironmentComparison,
    sources: tuple[SideSource, SideSource],
    request: DiffEnvRequest,
    workspace: Workspace | None,
    voice: Reporter,
) -> EnvironmentComparison:
    from ledger.commands.diff_env.defaults import (  # pydantic, which takes 0.2 s
        build_side,
        models_of,
        with_defaults,
    )

    models = models_of(request.experiment, [one.run for one in sources], workspace)
    sides = zip(sources, (found.a, found.b), strict=True)
    built = [build_side(source, side, workspace, voice) for source, side in sides]
    before, after = (with_defaults(one, models, voice) for one in built)
    return compare_sides(before, after, borrowed=found.borrowed)


def _api(
    found: EnvironmentComparison,
    sources: tuple[SideSource, SideSource],
    request: DiffEnvRequest,
    workspace: Workspace | None,
    voice: Reporter,
) -> "tuple[ApiChange, ...]":
    from ledger.commands.diff_env.api_changes import api_changes

    sides = list(zip(sources, (found.a, found.b), strict=True))
    return api_changes(sides, found.suspects, request.experiment, workspace, voice)


def _bisect(
    found: EnvironmentComparison,
    sources: tuple[SideSource, SideSource],
    request: DiffEnvRequest,
    workspace: Workspace | None,
    voice: Reporter,
) -> "Bisection":
    from ledger.commands.diff_env.bisect import Case, bisect_environments, lockfile_of

    if workspace is None:
        raise UsageError("--bisect rehearses an experiment, and there is no ledger here", hint="ledger init")
    runs = [one.run.experiment for one in sources if one.run]
    saved = [one.checkpoint for one in reversed(sources) if one.checkpoint]
    experiment = request.experiment or next(iter(runs), None)
    case = Case(workspace, voice, experiment, None if request.experiment else next(iter(saved), None))
    sides = zip(sources, (found.a, found.b), strict=True)
    a, b = (lockfile_of(case, source, side) for source, side in sides)
    return bisect_environments(case, a, b, found.suspects)


def _head(side: EnvironmentSide) -> dict[str, Json]:
    return {
        "name": side.name,
        "kind": side.kind,
        "python": side.python,
        "packages": None if side.packages is None else len(side.packages),
        "imported": None if side.imported is None else sorted(side.imported),
        "reported": dict(side.reported),
        "unknown": dict(side.unknown),
    }
