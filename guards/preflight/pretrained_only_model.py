"""PRE005: the model is known to have been pretrained only, and the task asks it to translate."""

from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.preflight import ModelKind, ModelUse
from ledger.findings import Finding, Severity

CODE = "PRE005"
TITLE = "the model was never taught to translate"
READS = (ModelUse, ModelKind)
EXPLANATION = Explanation(
    means="The model's name is one of those whose makers trained it on restoring noised text or cut-out "
    "spans alone. The check goes by the name: a fine-tuned model saved under such a name is told of "
    "too.",
    matters="Such a model loads, runs and writes text without any error: mbart-large-cc25 gave 985 failed "
    "lines of 1,000.",
    do="Fine-tune it first, or use a model that was taught to translate, such as "
    "facebook/mbart-large-50-many-to-many-mmt in place of facebook/mbart-large-cc25.",
)


# The task in which a model writes as it is; a task that trains it first would teach it.
GENERATION = "generation"


def inspect(expected: ModelUse, actual: ModelKind) -> Iterator[Finding]:
    """Warn of a pretrained-only model that is to translate as it is."""
    if actual.pretrained_only and expected.task == GENERATION:
        yield Finding(
            CODE,
            Severity.WARNING,
            f"{expected.model} is pretrained only: {actual.why}, and this run has it translate as it is",
            measured=actual.model,
            evidence={"task": expected.task, "why": actual.why},
        )
