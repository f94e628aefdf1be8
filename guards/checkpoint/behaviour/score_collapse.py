"""CKP010: the reloaded model's score is a fraction of that in memory, or of the last good checkpoint's."""

from collections.abc import Iterator

from guards.checkpoint.behaviour.collapse import LINES, SHARE, collapsed, points, same_measure
from guards.guard import Explanation
from ledger.evidence.metrics import Metric
from ledger.evidence.snapshot import Snapshot
from ledger.findings import Finding, Severity, Skip
from ledger.utils.plural import count

CODE = "CKP010"
TITLE = "the score collapsed"
READS = (Snapshot, Snapshot)
EXPLANATION = Explanation(
    means="BLEU of the reloaded model is below a third of what the same lines scored in the training "
    "process, or of what the newest verified checkpoint scored, where that was at least 5 of 100. Both are "
    "computed in the same way. Over fewer than 32 lines it is a warning.",
    matters="This is what a broken reload looks like: BLEU 100 in memory, 0.0 to 1.3 from the file. A few "
    "lines show only a collapse: 32 lines are enough to tell BLEU 22 from 1, but a drop of one point needs "
    "3,000 to 5,000.",
    do="If the score is lower than in memory, the file or the load is at fault: see CKP003, CKP005, CKP006, "
    "CKP008 and CKP009. If it equals the score in memory and is lower than that of the last good "
    "checkpoint, the training itself went wrong since then.",
)


def inspect(expected: Snapshot, actual: Snapshot) -> Iterator[Finding | Skip]:
    """Compare the reloaded BLEU with that in memory, and with that of the last good checkpoint."""
    memory = expected.sample.bleu if expected.sample else None
    known = {"in memory": memory, "at the last good checkpoint": expected.last_good}
    before = {where: score for where, score in known.items() if score is not None}
    after = actual.sample.bleu if actual.sample else None
    if not before:
        yield Skip(
            CODE, expected.unseen.get("sample", "no score of this or an earlier checkpoint was stored")
        )
    elif actual.sample is None:
        reason = actual.unseen.get("sample", "no lines were translated after the reload")
        yield Skip(CODE, reason, required=expected.sample is not None)
    elif after is None:
        yield Skip(CODE, "the reloaded lines were not scored: they have no reference", required=True)
    else:
        for where, score in before.items():
            yield from _compare(where, score, after, len(actual.sample.output))


def _compare(where: str, before: Metric, after: Metric, lines: int) -> Iterator[Finding | Skip]:
    if not same_measure(before, after):
        yield Skip(CODE, f"the score {where} has another signature ({before.signature}, {after.signature})")
    elif collapsed(points(before), points(after)):
        yield Finding(
            CODE,
            Severity.ERROR if lines >= LINES else Severity.WARNING,
            f"BLEU {points(after):.2f} of 100 reloaded, {points(before):.2f} {where}, over "
            f"{count(lines, 'line')}",
            measured=points(after),
            threshold=points(before) * SHARE,
            evidence={"before": points(before), "where": where, "signature": after.signature, "lines": lines},
        )
