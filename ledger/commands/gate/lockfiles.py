"""No lockfile changed in a way that breaks an experiment (GAT002).

What compares and rehearses is imported where something changed: as a rule nothing did.
"""

from guards.gate import breaking_lockfile_change
from guards.guard import inspect
from ledger.commands.gate.context import LOCKFILES, Checked, GateContext
from ledger.evidence import Evidence
from ledger.evidence.gate import LockChanges, Rehearsals
from ledger.findings import Finding, Report, Severity

NAME = "lockfiles"


def check(scene: GateContext) -> Checked:
    """Find the experiments whose lockfile changed, and with --rehearse what they do under both."""
    if not scene.changed:
        nothing = Evidence(LockChanges(scene.base.name))
        report = inspect([breaking_lockfile_change], nothing, Evidence(Rehearsals()))
        return Checked(NAME, "no lockfile changed", report)
    from ledger.commands.gate.lockfile_changes import look

    seen = look(scene)
    expected = Evidence(LockChanges(scene.base.name, seen.changes))
    report = inspect([breaking_lockfile_change], expected, Evidence(seen.rehearsals))
    missing = tuple(Finding(breaking_lockfile_change.CODE, Severity.ERROR, says) for says in seen.missing)
    changed = ", ".join(path.name for path in scene.changed if path.suffix in LOCKFILES)
    named = ", ".join(change.experiment for change in seen.changes) or "none that was there before"
    about = f"changed: {changed}; experiments: {named}" if changed or seen.changes else "no lockfile changed"
    return Checked(NAME, about, report + Report(missing), seen.tables)
