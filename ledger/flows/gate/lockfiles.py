"""No lockfile changed in a way that breaks an experiment (GAT002).

What compares and rehearses is imported where something changed: as a rule nothing did.
"""

from guards.gate import broken_bump
from guards.guard import inspect
from ledger.evidence import Evidence
from ledger.findings import Finding, Report, Severity
from ledger.flows.gate.scene import LOCKFILES, Checked, Scene
from ledger.gate_evidence import LockChanges, Rehearsals

NAME = "lockfiles"


def check(scene: Scene) -> Checked:
    """Find the experiments whose lockfile changed, and with --rehearse what they do under both."""
    if not scene.changed:
        nothing = Evidence(lock_changes=LockChanges(scene.base.name))
        report = inspect([broken_bump], nothing, Evidence(lock_changes=Rehearsals()))
        return Checked(NAME, "no lockfile changed", report)
    from ledger.flows.gate.bumps import look

    seen = look(scene)
    expected = Evidence(lock_changes=LockChanges(scene.base.name, seen.changes))
    report = inspect([broken_bump], expected, Evidence(lock_changes=seen.rehearsals))
    missing = tuple(Finding(broken_bump.CODE, Severity.ERROR, says) for says in seen.missing)
    changed = ", ".join(path.name for path in scene.changed if path.suffix in LOCKFILES)
    named = ", ".join(change.experiment for change in seen.changes) or "none that was there before"
    about = f"changed: {changed}; experiments: {named}" if changed or seen.changes else "no lockfile changed"
    return Checked(NAME, about, report + Report(missing), seen.tables)
