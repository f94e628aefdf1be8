"""Each spec that changed has a run of its own (GAT001), or a rehearsal that is made here."""

from collections.abc import Iterator

from guards import registry
from guards.gate import spec_without_run
from guards.guard import inspect
from ledger.errors import LedgerError
from ledger.evidence import Evidence, Unobserved
from ledger.findings import Verdict
from ledger.flows.gate.scene import SPECS, Checked, Scene, unreadable
from ledger.gate_evidence import ChangedSpec, ChangedSpecs, SpecRun, SpecRuns
from ledger.runs import Run
from ledger.spec.load import load_experiment, names
from ledger.spec.model import Experiment
from ledger.workspace import Workspace

NAME = "specs"


def check(scene: Scene) -> Checked:
    """Find the specs that run something else than in the base, and their runs."""
    if not any(path.suffix == SPECS for path in scene.changed):
        return _judge(ChangedSpecs(scene.base.name), SpecRuns(), "no spec changed")
    changed = tuple(_changed(scene))
    about = f"{len(changed)} changed: {', '.join(spec.experiment for spec in changed)}" if changed else ""
    expected = ChangedSpecs(scene.base.name, changed)
    runs = unreadable(scene) or SpecRuns(tuple(map(_real, scene.runs)))
    if scene.rehearse and isinstance(runs, SpecRuns):
        runs = SpecRuns((*runs.runs, *_rehearse(scene, changed, runs)))
    return _judge(expected, runs, about or "no spec runs anything else than before")


def _judge(expected: ChangedSpecs, runs: SpecRuns | Unobserved, about: str) -> Checked:
    return Checked(NAME, about, inspect([spec_without_run], Evidence(specs=expected), Evidence(specs=runs)))


def _changed(scene: Scene) -> Iterator[ChangedSpec]:
    for name in names(scene.workspace.experiments):
        before = read_spec(name, scene.before)
        now = read_spec(name, scene.workspace)
        if isinstance(now, LedgerError):
            yield ChangedSpec(name, "", is_new=False, problem=now.message)
        elif now and (not isinstance(before, Experiment) or before.digest != now.digest):
            yield ChangedSpec(name, now.digest, is_new=before is None, planned=now.status == "planned")


def read_spec(name: str, workspace: Workspace) -> Experiment | LedgerError | None:
    """The spec; None where there is none; the error where it cannot be read."""
    if not (workspace.experiments / f"{name}{SPECS}").is_file():
        return None
    codes = [guard.CODE for guard in registry.TEXT]
    try:
        return load_experiment(name, workspace.experiments, rate_codes=codes)
    except LedgerError as error:
        return error


def _real(run: Run) -> SpecRun:
    return SpecRun(
        run=run.id,
        experiment=run.experiment,
        digest=str(run.started.get("spec_digest", "")),
        passed=run.verdict is Verdict.PASS,
        codes=tuple(sorted(run.report.failing)),
    )


def _rehearse(scene: Scene, changed: tuple[ChangedSpec, ...], runs: SpecRuns) -> Iterator[SpecRun]:
    """A rehearsal of every changed spec whose experiment and digest were never run for real."""
    from ledger.flows.gate.behaviour import rehearse

    ran = {run.experiment for run in runs.runs} | {run.digest for run in runs.runs}
    for spec in changed:
        if not spec.problem and not {spec.experiment, spec.digest} & ran:
            done = rehearse(scene, spec.experiment)
            codes = tuple(sorted(done.report.failing))
            passed = done.report.verdict is Verdict.PASS
            yield SpecRun(done.run or "refused", spec.experiment, spec.digest, passed, codes, now=True)
