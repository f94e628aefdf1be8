"""Each changed spec has a run of its own (GAT001), or is rehearsed here.

The code that reads specs is imported only if a spec changed: it costs as much as all other checks.
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


def check(context: GateContext) -> Checked:
    """Find the specs that run something else than in the base, and their runs."""
    changed: tuple[ChangedSpec, ...] = ()
    if any(path.suffix == SPECS for path in context.changed):
        from ledger.commands.gate.changed_specs import changed_specs

        changed = tuple(changed_specs(context))
    expected = ChangedSpecs(context.base.name, changed)
    runs: SpecRuns | Unobserved = SpecRuns()
    if changed:
        runs = unreadable(context) or SpecRuns(
            (*map(_recorded, _real(context)), *_rehearse(context, changed))
        )
    report = inspect([spec_without_run], Evidence(expected), Evidence().including(SpecRuns, runs))
    named = ", ".join(spec.experiment for spec in changed)
    about = f"{len(changed)} changed: {named}" if changed else "no spec changed what it runs"
    return Checked(NAME, about, report)


def _real(context: GateContext) -> list[Run]:
    return [run for run in context.runs if run.mode == "real"]


def _recorded(run: Run) -> SpecRun:
    return SpecRun(
        run=run.id,
        experiment=run.experiment,
        digest=run.spec_digest or "",
        passed=run.verdict is Verdict.PASS,
        codes=tuple(sorted(run.report.failing)),
    )


def _rehearse(context: GateContext, changed: Sequence[ChangedSpec]) -> Iterator[SpecRun]:
    """A rehearsal of each changed spec of which neither the experiment nor the digest has a real run."""
    if not context.rehearse:
        return
    real = _real(context)
    ran = {run.experiment for run in real} | {run.spec_digest for run in real}
    for spec in changed:
        if not spec.problem and not {spec.experiment, spec.digest} & ran:
            yield _rehearsed(context, spec)


def _rehearsed(context: GateContext, spec: ChangedSpec) -> SpecRun:
    from ledger.commands.gate.lockfile_rehearsal import rehearse

    try:
        done = rehearse(context, spec.experiment)
    except LedgerError as error:
        why = error.message
        return SpecRun("", spec.experiment, spec.digest, passed=False, now=True, problem=why)
    codes, passed = tuple(sorted(done.report.failing)), done.report.verdict is Verdict.PASS
    return SpecRun(done.run or "refused", spec.experiment, spec.digest, passed, codes, now=True)
