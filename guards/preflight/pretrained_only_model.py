"""PRE005: the model was only pretrained, and the task is to translate with it."""

from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.preflight import ModelKind, ModelUse
from ledger.findings import Finding, Severity

CODE = "PRE005"
TITLE = "the model was never trained to translate"
READS = (ModelUse, ModelKind)
EXPLANATION = Explanation(
    means="The model is known, by its name, to have been trained only to restore corrupted text or masked "
    "spans. A fine-tuned model that is saved under such a name is reported too.",
    matters="Such a model loads, runs and writes text without any error: mbart-large-cc25 gave 985 failed "
    "lines of 1,000.",
    do="Fine-tune it first, or use a model that was trained to translate, such as "
    "facebook/mbart-large-50-many-to-many-mmt in place of facebook/mbart-large-cc25.",
)


# The task that uses a model without training it first.
GENERATION = "generation"


def inspect(expected: ModelUse, actual: ModelKind) -> Iterator[Finding]:
    """Warn of a pretrained-only model that is used for translation without fine-tuning."""
    if actual.pretrained_only and expected.task == GENERATION:
        yield Finding(
            CODE,
            Severity.WARNING,
            f"{expected.model} is only pretrained: {actual.why}, and this run does not fine-tune it",
            measured=actual.model,
            evidence={"task": expected.task, "why": actual.why},
        )
