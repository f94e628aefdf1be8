"""CLM005: a step is later than the one at which the run crashed."""

from collections.abc import Iterator

from guards.claims.formatting import contradiction
from guards.guard import Explanation
from ledger.evidence.imported_claims import Consistency, StepMention, WrittenLog
from ledger.findings import Finding

CODE = "CLM005"
TITLE = "a step is later than the run's crash"
READS = (Consistency, WrittenLog)
EXPLANATION = Explanation(
    means="The log says at which step a run crashed, and mentions a checkpoint or a measurement of it at a "
    "later step. Runs that were resumed according to the log are ignored.",
    matters="A run writes nothing after it ended. The checkpoint belongs to another run, perhaps with "
    "another tokenizer or other data, and measurements on it say nothing about this run.",
    do="Check the checkpoint's trainer_state.json and its time. If it still exists: ledger verify "
    "CHECKPOINT.",
)


def inspect(_expected: Consistency, actual: WrittenLog) -> Iterator[Finding]:
    """One finding for each attempt with steps after its crash, which names the latest step."""
    for crash in (one for one in actual.steps if one.crash):
        beyond = [
            one
            for one in actual.steps
            if not one.crash
            and (one.experiment, one.scope) == (crash.experiment, crash.scope)
            and one.step > crash.step
        ]
        if beyond:
            yield _finding(crash, max(beyond, key=lambda one: one.step))


def _finding(crash: StepMention, far: StepMention) -> Finding:
    return contradiction(
        CODE,
        f"{crash.experiment}: the run crashed at step {crash.step:,} (line {crash.line}), and step "
        f"{far.step:,} is attributed to it (line {far.line}: {far.text}): a checkpoint of another run?",
        experiments=[crash.experiment],
        lines=[crash.line, far.line],
        measured=far.step,
        threshold=crash.step,
    )
