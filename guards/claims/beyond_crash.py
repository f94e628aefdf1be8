"""CLM005: a step lies beyond the one at which the run crashed."""

from collections.abc import Iterator

from guards.claims.formatting import contradiction
from guards.guard import Explanation
from ledger.evidence.imported_claims import Consistency, StepMention, WrittenLog
from ledger.findings import Finding

CODE = "CLM005"
TITLE = "a step lies beyond the run's crash"
READS = (Consistency, WrittenLog)
EXPLANATION = Explanation(
    means="The log says at which step a run crashed, and then speaks of a checkpoint or a measurement of it "
    "at a later step. Runs that the log says were resumed are left out.",
    matters="A run writes nothing after it ended. The checkpoint belongs to another run, perhaps with "
    "another tokenizer or other data, and what was measured on it says nothing about this one.",
    do="Look at the checkpoint's trainer_state.json and its time. If it is at hand: ledger verify "
    "CHECKPOINT.",
)


def inspect(_expected: Consistency, actual: WrittenLog) -> Iterator[Finding]:
    """One finding for each attempt that goes on after its crash, by the farthest step."""
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
        f"{far.step:,} is said to be its own (line {far.line}: {far.text}): a checkpoint of another run?",
        experiments=[crash.experiment],
        lines=[crash.line, far.line],
        measured=far.step,
        threshold=crash.step,
    )
