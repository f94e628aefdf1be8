"""The skips of guards whose part of a snapshot is missing: pure functions of this family."""

from ledger.evidence.snapshot import Snapshot
from ledger.findings import Skip


def unseen(code: str, part: str, expected: Snapshot, actual: Snapshot) -> Skip:
    """The skip of a guard that needs `part` (a field of Snapshot) on both sides.

    The skip is required where the part was stored with the checkpoint but could not be collected after the
    reload, or where the run should have stored it. It is not where nobody stored it, as in a checkpoint from
    elsewhere.
    """
    if getattr(expected, part) is None:
        why = expected.unseen.get(part, f"no evidence of the {part} was stored with the checkpoint")
        return Skip(code, why, required=expected.owed)
    return not_reloaded(code, part, actual)


def not_reloaded(code: str, part: str, actual: Snapshot) -> Skip:
    """The skip of a guard that needs `part` of the reloaded model, whatever was stored at the save."""
    why = actual.unseen.get(part, f"the {part} could not be collected after the reload")
    return Skip(code, why, required=True)


def untraced(code: str, expected: Snapshot) -> Skip:
    """The skip of a guard that needs what the training process saw; older evidence does not have it."""
    return Skip(code, expected.unseen.get("trace", "no evidence of the training around the save was stored"))
