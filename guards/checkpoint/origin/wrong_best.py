"""CKP024: the checkpoint that the trainer calls its best is not the best of its own log."""

from collections.abc import Iterator

from guards.guard import Explanation
from guards.training.metric_direction import higher_is_better
from ledger.evidence.provenance import BestCheckpoint, MetricDirection
from ledger.findings import Finding, Severity

CODE = "CKP024"
TITLE = "the checkpoint called best is not the best of the log"
READS = (MetricDirection, BestCheckpoint)
EXPLANATION = Explanation(
    means="trainer_state.json names a best checkpoint by a metric whose direction is known by its name, "
    "and its log has a better value at another step. For other metrics the training's greater_is_better "
    "decides.",
    matters="The Trainer takes every metric for higher-is-better whose name does not end in loss: with "
    "ter, wer or cer it keeps the worst checkpoint, deletes the others (save_total_limit), and loads the "
    "worst one at the end.",
    do="Set greater_is_better in TrainingArguments. The log shows which step is the best; if its "
    "checkpoint was deleted, train again from the one before it.",
)


def inspect(expected: MetricDirection, actual: BestCheckpoint) -> Iterator[Finding]:
    """Compare the best value with all that were logged for its metric."""
    known = higher_is_better(actual.metric)
    higher = expected.greater_is_better if known is None else known
    if higher is None or not actual.scores:
        return
    step, value = (max if higher else min)(actual.scores, key=lambda score: score[1])
    if value > actual.value if higher else value < actual.value:
        yield Finding(
            CODE,
            Severity.WARNING,
            f"{actual.name} is called the best with {actual.metric} {actual.value:g}, and the log has "
            f"{value:g} at step {step:,}: {'higher' if higher else 'lower'} is better",
            measured=actual.value,
            threshold=value,
            evidence={"metric": actual.metric, "best_step": step, "called_best": actual.name},
        )
