"""No run of this branch has a recorded error that nobody accepted (GAT004)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from guards.gate import open_finding
from guards.guard import inspect
from ledger.checkpoints.levels import standing
from ledger.commands.gate.context import Checked, GateContext, unreadable
from ledger.environments.diff.from_journal import VERIFIED
from ledger.evidence import Evidence
from ledger.evidence.gate import KnownRuns, OpenFindings, RunFindings
from ledger.findings import Finding, Report, Severity
from ledger.journal.run import Run
from ledger.journal.store import Entry
from ledger.utils.plural import count

NAME = "findings"


def check(context: GateContext) -> Checked:
    """Find open errors in every finished run, and in the verifications of its checkpoints."""
    reason = unreadable(context)
    if reason:
        unread = Evidence().including(OpenFindings, reason)
        return Checked(NAME, "", inspect([open_finding], Evidence(), unread))
    newest = {run.experiment: run.id for run in context.runs}
    found = [one for run in context.runs if (one := _open(run, newest)).findings]
    later, known = _verified(context, newest)
    expected = Evidence(KnownRuns(context.base.name, context.known | known))
    report = inspect([open_finding], expected, Evidence(OpenFindings((*found, *later))))
    return Checked(NAME, f"{count(len(context.new_runs), 'new run')}, {len(context.runs):,} in all", report)


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


def _verified(context: GateContext, newest: Mapping[str, str]) -> tuple[list[RunFindings], frozenset[str]]:
    """Errors of the verifications that stand, and that their runs lack; which of them the base has."""
    found, known = [], set[str]()
    for entry in _standing_verifications(context):
        run = context.by_id[str(entry.body["run"])]
        codes = {one.code for one in run.report.findings}
        report = Report.from_json(entry.body["report"]).accept({one.code: one.why for one in run.acceptances})
        if errors := tuple(one for one in _errors(report) if one.code not in codes):
            subject = f"{entry.body['checkpoint']} of {run.id}"
            found.append(replace(_open(run, newest), run=subject, findings=errors))
            known |= {subject} if entry.id in context.past_ids else set()
    return found, frozenset(known)


def _standing_verifications(context: GateContext) -> Iterable[Entry]:
    """Those of a finished run's checkpoints in the run's environment that no later one supersedes.

    A checkpoint is not at fault if another version cannot read it.
    """
    known: dict[int, Entry] = {}
    for entry in sorted(context.entries, key=lambda one: one.time):
        run = context.by_id.get(str(entry.body.get("run")))
        if entry.kind == VERIFIED and run and entry.body.get("environment") == run.environment:
            known[id(entry.body)] = entry
    return [known[id(body)] for body in standing(entry.body for entry in known.values())]
