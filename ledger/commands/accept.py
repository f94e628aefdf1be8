"""`ledger accept`: waive one finding of one run, on the record."""

from collections.abc import Iterator
from dataclasses import dataclass

from guards.gate import worse_score
from guards.identity import duplicate_output
from ledger.environments.diff.from_journal import VERIFIED
from ledger.errors import UsageError
from ledger.findings import Finding, Report
from ledger.git import status
from ledger.journal.run import Acceptance, Run
from ledger.journal.runs import find_run
from ledger.journal.store import open_journal
from ledger.workspace import Workspace

# The run's entries lack the gate's findings, and a duplicate that another branch recorded meanwhile.
NOT_IN_ENTRIES = (worse_score.CODE, duplicate_output.CODE)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The run with the acceptance applied; `entry` is None where it had been accepted before."""

    run: Run
    acceptance: Acceptance
    entry: str | None


def accept(workspace: Workspace, name: str, code: str, why: str) -> Accepted:
    """Record the acceptance in the run's journal. Raises UsageError for an unknown run or finding."""
    run = find_run(workspace, name)
    code, why = code.strip().upper(), why.strip()
    if not why:
        raise UsageError("an acceptance needs its reason", hint='give it with: --why "…"')
    _must_have(workspace, run, code)
    earlier = next((one for one in run.acceptances if one.code == code), None)
    if earlier:
        return Accepted(run, earlier, None)
    who = status.user_name(workspace.root)
    body = {"run": run.id, "experiment": run.experiment, "code": code, "why": why, "who": who}
    journal = open_journal(workspace, run.mode)
    entry = journal.append("acceptance", body)
    return Accepted(find_run(workspace, run.id), Acceptance(code, why, who, entry.time), entry.id)


def _must_have(workspace: Workspace, run: Run, code: str) -> None:
    codes = sorted(
        {f.code for f in (*run.preflight.findings, *run.report.findings, *_verified(workspace, run))}
    )
    if code not in (*codes, *NOT_IN_ENTRIES):
        has = f"it has {', '.join(codes)}" if codes else "it has none"
        raise UsageError(f"{run.id} has no finding {code}", hint=has)


def _verified(workspace: Workspace, run: Run) -> Iterator[Finding]:
    """The findings of verifications of its checkpoints."""
    for entry in open_journal(workspace, run.mode).entries():
        if entry.kind == VERIFIED and entry.body.get("run") == run.id:
            yield from Report.from_json(entry.body["report"]).findings
