"""What to say when a part of a snapshot is not there: pure functions of this family."""

from ledger.evidence.snapshot import Snapshot
from ledger.findings import Skip


def unseen(code: str, part: str, expected: Snapshot, actual: Snapshot) -> Skip:
    """The skip of a guard that needs `part` (a field of Snapshot) on both sides.

    A part that was kept at the save and could not be collected after the reload is no pass: the skip is
    then marked as required. A part that nobody kept at the save (another's checkpoint) spoils nothing, unless
    its run owes it.
    """
    if getattr(expected, part) is None:
        why = expected.unseen.get(part, f"nothing of the {part} was kept at the save")
        return Skip(code, why, required=expected.owed)
    return not_reloaded(code, part, actual)


def not_reloaded(code: str, part: str, actual: Snapshot) -> Skip:
    """The skip of a guard that lacks `part` of the reloaded model, which it needs in any case."""
    return Skip(code, actual.unseen.get(part, f"the {part} could not be had after the reload"), required=True)
