"""Each spec that changed has a run of its own (GAT001), or a rehearsal that is made here.

What reads specs is imported where a spec changed: as a rule none did, and it costs what the rest costs.
"""

from collections.abc import Iterator, Sequence

from guards.gate import spec_without_run
from guards.guard import inspect
from ledger.commands.gate.context import SPECS, Checked, GateContext, unreadable
from ledger.errors import LedgerError
from ledger.evidence import Evidence, Unobserved
from ledger.evidence.gate import ChangedSpec, ChangedSpecs, SpecRun, SpecRuns
from ledger.findings import Verdict
from ledger.journal.run import Run

NAME = "specs"


def check(scene: GateContext) -> Checked:
    """Find the specs that run something else than in the base, and their runs."""
    changed: tuple[ChangedSpec, ...] = ()
    if any(path.suffix == SPECS for path in scene.changed):
        from ledger.commands.gate.changed_specs import changed_specs

        changed = tuple(changed_specs(scene))
    expected = ChangedSpecs(scene.base.name, changed)
    runs: SpecRuns | Unobserved = SpecRuns()
    if changed:
        runs = unreadable(scene) or SpecRuns((*map(_recorded, _real(scene)), *_rehearse(scene, changed)))
    report = inspect([spec_without_run], Evidence(expected), Evidence().including(SpecRuns, runs))
    named = ", ".join(spec.experiment for spec in changed)
    about = f"{len(changed)} changed: {named}" if changed else "no spec runs anything else than before"
    return Checked(NAME, about, report)


def _real(scene: GateContext) -> list[Run]:
    return [run for run in scene.runs if run.mode == "real"]


def _recorded(run: Run) -> SpecRun:
    return SpecRun(
        run=run.id,
        experiment=run.experiment,
        digest=run.spec_digest or "",
        passed=run.verdict is Verdict.PASS,
        codes=tuple(sorted(run.report.failing)),
    )


def _rehearse(scene: GateContext, changed: Sequence[ChangedSpec]) -> Iterator[SpecRun]:
    """A rehearsal of every changed spec whose experiment and digest were never run for real."""
    if not scene.rehearse:
        return
    real = _real(scene)
    ran = {run.experiment for run in real} | {run.spec_digest for run in real}
    for spec in changed:
        if not spec.problem and not {spec.experiment, spec.digest} & ran:
            yield _rehearsed(scene, spec)


def _rehearsed(scene: GateContext, spec: ChangedSpec) -> SpecRun:
    from ledger.commands.gate.lockfile_rehearsal import rehearse

    try:
        done = rehearse(scene, spec.experiment)
    except LedgerError as error:
        why = error.message
        return SpecRun("", spec.experiment, spec.digest, passed=False, now=True, problem=why)
    codes, passed = tuple(sorted(done.report.failing)), done.report.verdict is Verdict.PASS
    return SpecRun(done.run or "refused", spec.experiment, spec.digest, passed, codes, now=True)
