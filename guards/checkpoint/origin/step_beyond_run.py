"""CKP012: the checkpoint is from a step that its run never reached."""

from collections.abc import Iterator

from guards.checkpoint.origin.inconsistent_step import stated_steps
from guards.guard import Explanation
from ledger.evidence.provenance import Origin
from ledger.findings import Finding, Severity, Skip

CODE = "CKP012"
TITLE = "the step lies beyond what the run recorded"
READS = (Origin, Origin)
EXPLANATION = Explanation(
    means="The folder's name, trainer_state.json or the stored evidence states a step higher than the last "
    "one that the run recorded.",
    matters="Such a checkpoint does not belong to this run. Once a run crashed at step 784, checkpoint-6000 "
    "was evaluated as if it were its own, and days went into asking why it translated so badly: a checkpoint "
    "of another run, with another tokenizer, explains that better than a broken save.",
    do="Find the run that reached the step: compare the files' times and trainer_state.json with the "
    "record (ledger log). Write each run's checkpoints into its own folder.",
)


def inspect(expected: Origin, actual: Origin) -> Iterator[Finding | Skip]:
    """Compare the highest step that the checkpoint states with the run's last one."""
    steps = stated_steps(actual)
    if expected.last_step is None:
        yield Skip(CODE, "no recorded run matches this checkpoint")
    elif not steps:
        yield Skip(CODE, "the checkpoint does not state its step")
    elif (highest := max(steps.values())) > expected.last_step:
        where = " and ".join(where for where, step in steps.items() if step == highest)
        run = expected.run or "the run"
        yield Finding(
            CODE,
            Severity.ERROR,
            f"step {highest:,} (in {where}), but {run} ended at step {expected.last_step:,}",
            measured=highest,
            threshold=expected.last_step,
            evidence={"run": expected.run, "steps": steps},
        )
