"""No run of this branch has an error on the record that nobody accepted (GAT004)."""

from guards.gate import open_finding
from guards.guard import inspect
from ledger.evidence import Evidence
from ledger.findings import Severity
from ledger.flows.gate.scene import Checked, Scene, unreadable
from ledger.gate_evidence import KnownRuns, OpenFindings, RunFindings
from ledger.runs import Run

NAME = "findings"


def check(scene: Scene) -> Checked:
    """Look for open errors in every finished run."""
    reason = unreadable(scene)
    if reason:
        nothing = Evidence(open_findings=reason)
        return Checked(NAME, "", inspect([open_finding], nothing, nothing))
    newest = {run.experiment: run.id for run in scene.runs}
    found = tuple(one for run in scene.runs if (one := _open(run, newest)).findings)
    expected = Evidence(open_findings=KnownRuns(scene.base.name, scene.known))
    report = inspect([open_finding], expected, Evidence(open_findings=OpenFindings(found)))
    return Checked(NAME, f"{len(scene.new_runs):,} new runs, {len(scene.runs):,} in all", report)


def _open(run: Run, newest: dict[str, str]) -> RunFindings:
    errors = (f for f in (*run.preflight.findings, *run.report.findings) if f.severity >= Severity.ERROR)
    successor = newest[run.experiment]
    return RunFindings(
        run.id,
        run.experiment,
        tuple(finding for finding in errors if finding.accepted is None),
        successor if successor != run.id else None,
    )
