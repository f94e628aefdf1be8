"""No lockfile changed in a way that breaks an experiment (GAT002).

The code that compares and rehearses is imported only if something changed, which is rare.
"""

from guards.gate import breaking_lockfile_change
from guards.guard import inspect
from ledger.commands.gate.context import LOCKFILES, Checked, GateContext
from ledger.evidence import Evidence
from ledger.evidence.gate import LockChanges, Rehearsals
from ledger.findings import Finding, Report, Severity

NAME = "lockfiles"


def check(context: GateContext) -> Checked:
    """Find the experiments whose lockfile changed and, with --rehearse, how they behave under both."""
    if not context.changed:
        nothing = Evidence(LockChanges(context.base.name))
        report = inspect([breaking_lockfile_change], nothing, Evidence(Rehearsals()))
        return Checked(NAME, "no lockfile changed", report)
    from ledger.commands.gate.lockfile_changes import find_lockfile_changes

    found = find_lockfile_changes(context)
    expected = Evidence(LockChanges(context.base.name, found.changes))
    report = inspect([breaking_lockfile_change], expected, Evidence(found.rehearsals))
    missing = tuple(Finding(breaking_lockfile_change.CODE, Severity.ERROR, says) for says in found.missing)
    changed = ", ".join(path.name for path in context.changed if path.suffix in LOCKFILES)
    named = ", ".join(change.experiment for change in found.changes) or "none that the base has"
    about = f"changed: {changed}; experiments: {named}" if changed or found.changes else "no lockfile changed"
    return Checked(NAME, about, report + Report(missing), found.tables)
