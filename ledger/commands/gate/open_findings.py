"""No run of this branch has an error on the record that nobody accepted (GAT004)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from guards.gate import open_finding
from guards.guard import inspect
from ledger.commands.gate.context import Checked, GateContext, unreadable
from ledger.environments.diff.from_journal import VERIFIED
from ledger.evidence import Evidence
from ledger.evidence.gate import KnownRuns, OpenFindings, RunFindings
from ledger.findings import Finding, Report, Severity
from ledger.journal.run import Run
from ledger.journal.store import Entry

NAME = "findings"


def check(scene: GateContext) -> Checked:
    """Look for open errors in every finished run, and in the verifications of its checkpoints."""
    reason = unreadable(scene)
    if reason:
        unread = Evidence().including(OpenFindings, reason)
        return Checked(NAME, "", inspect([open_finding], Evidence(), unread))
    newest = {run.experiment: run.id for run in scene.runs}
    found = [one for run in scene.runs if (one := _open(run, newest)).findings]
    later, known = _verified(scene, newest)
    expected = Evidence(KnownRuns(scene.base.name, scene.known | known))
    report = inspect([open_finding], expected, Evidence(OpenFindings((*found, *later))))
    return Checked(NAME, f"{len(scene.new_runs):,} new runs, {len(scene.runs):,} in all", report)


def _open(run: Run, newest: Mapping[str, str]) -> RunFindings:
    successor = newest[run.experiment]
    return RunFindings(
        run.id,
        run.experiment,
        (*_errors(run.preflight), *_errors(run.report)),
        successor if successor != run.id else None,
    )


def _errors(report: Report) -> Iterator[Finding]:
    return (one for one in report.findings if one.severity >= Severity.ERROR and one.accepted is None)


def _verified(scene: GateContext, newest: Mapping[str, str]) -> tuple[list[RunFindings], frozenset[str]]:
    """What the newest verification of each checkpoint found that its run did not; those that the base has."""
    found, known = [], set[str]()
    for entry in _newest_verifications(scene):
        run = scene.by_id[str(entry.body["run"])]
        told = {one.code for one in run.report.findings}
        report = Report.from_json(entry.body["report"]).accept({one.code: one.why for one in run.acceptances})
        if errors := tuple(one for one in _errors(report) if one.code not in told):
            subject = f"{entry.body['checkpoint']} of {run.id}"
            found.append(replace(_open(run, newest), run=subject, findings=errors))
            known |= {subject} if entry.id in scene.past_ids else set()
    return found, frozenset(known)


def _newest_verifications(scene: GateContext) -> Iterable[Entry]:
    """One for each checkpoint of a finished run, in the environment that the run was made in.

    That another version cannot read a checkpoint is no fault of it.
    """
    verifications = (entry for entry in scene.entries if entry.kind == VERIFIED)
    last: dict[str, Entry] = {}
    for entry in sorted(verifications, key=lambda one: one.time):
        run = scene.by_id.get(str(entry.body.get("run")))
        if run and entry.body.get("environment") == run.environment:
            last[str(entry.body["checkpoint"])] = entry
    return last.values()
