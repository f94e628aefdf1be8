"""CKP025: a resumed training is not the same training."""

from collections.abc import Iterator

from guards.checkpoint.skips import untraced
from guards.guard import Explanation
from guards.training.loss_trend import Rise, rise_between
from ledger.evidence.snapshot import Snapshot, TrainingTrace
from ledger.evidence.training import TrainingLimits
from ledger.findings import Finding, Severity, Skip
from ledger.utils.plural import and_more

CODE = "CKP025"
TITLE = "a resumed training does not continue where it stopped"
RESTARTED = 1.5  # times the learning rate before: no schedule rises so far from one row to the next
READS = (Snapshot, Snapshot)
EXPLANATION = Explanation(
    means="The training that saved this checkpoint was resumed from one that lacks the state of the "
    "optimizer, the schedule, the gradient scaler or the random generators, or it did not skip the "
    "data that was already used (ignore_data_skip). Or its loss jumped: the first 3 logged losses after "
    "the resume are all 1.4 times the last 3 before it, and 5 robust standard deviations above them, "
    "although the learning rate did not rise. A training that starts from given weights is not a resumed "
    "one.",
    matters="The Trainer loads what is there and reports nothing: Adam starts with empty averages, the "
    "learning rate with its warm-up, and the same lines are seen again. The curve goes on from another "
    "point, and the run cannot be repeated.",
    do="Resume from a checkpoint that has all files (save_only_model=False). If all were there and the loss "
    "jumped, compare the data, the batch size and the versions of both parts (`ledger diff-env`), and verify "
    "the checkpoint that was resumed. If the restart is intended, start a new training from these weights "
    "instead of resuming.",
)


def inspect(expected: Snapshot, actual: Snapshot) -> Iterator[Finding | Skip]:  # noqa: ARG001
    """Name what the resumed training did not have, or how far its loss jumped."""
    trace = expected.trace
    if trace is None:
        yield untraced(CODE, expected)
        return
    if missing := trace.resumed_without:
        yield Finding(
            CODE,
            Severity.WARNING,
            f"resumed without {and_more(list(missing), len(missing))}",
            measured=len(missing),
            threshold=0,
            evidence={"missing": list(missing)},
        )
    if rise := _jump(trace):
        yield Finding(
            CODE,
            Severity.WARNING,
            f"the loss jumped from {rise.before:.4g} to {rise.after:.4g} when the training was resumed at "
            f"step {rise.step:,}",
            measured=rise.times,
            threshold=rise.limit,
            evidence={"step": rise.step, "before": rise.before, "after": rise.after},
        )


def _jump(trace: TrainingTrace) -> Rise | None:
    """The rise at the resume; a learning rate that rose as well is a restart, and explains it."""
    first, then = trace.rates if len(trace.rates) == 2 else (None, None)
    if trace.resumed_at is None or (first and then and then > RESTARTED * first):
        return None
    return rise_between(trace.losses_before, trace.losses_after, trace.resumed_at, TrainingLimits())
