"""CKP025: the training was resumed without all of its state."""

from collections.abc import Iterator

from guards.checkpoint.skips import untraced
from guards.guard import Explanation
from ledger.evidence.snapshot import Snapshot
from ledger.findings import Finding, Severity, Skip
from ledger.utils.plural import and_more

CODE = "CKP025"
TITLE = "the training was resumed without all of its state"
READS = (Snapshot, Snapshot)
EXPLANATION = Explanation(
    means="The training that saved this checkpoint was resumed from one that lacks the state of the "
    "optimizer, the schedule, the gradient scaler or the random generators, or it did not skip the "
    "data that was already used (ignore_data_skip). A training that starts from given weights is not "
    "a resumed one.",
    matters="The Trainer loads what is there and reports nothing: Adam starts with empty averages, the "
    "learning rate with its warm-up, and the same lines are seen again. The curve goes on from another "
    "point, and the run cannot be repeated.",
    do="Resume from a checkpoint that has all files (save_only_model=False). If the restart is intended, "
    "start a new training from these weights instead of resuming.",
)


def inspect(expected: Snapshot, actual: Snapshot) -> Iterator[Finding | Skip]:  # noqa: ARG001
    """Name what the resumed training did not have."""
    trace = expected.trace
    if trace is None:
        yield untraced(CODE, expected)
    elif missing := trace.resumed_without:
        yield Finding(
            CODE,
            Severity.WARNING,
            f"resumed without {and_more(list(missing), len(missing))}",
            measured=len(missing),
            threshold=0,
            evidence={"missing": list(missing)},
        )
