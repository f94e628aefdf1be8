"""CKP012: the checkpoint is from a step that its run never reached."""

from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.provenance import Origin
from ledger.findings import Finding, Severity, Skip

CODE = "CKP012"
TITLE = "the step lies beyond what the run recorded"
READS = (Origin, Origin)
EXPLANATION = Explanation(
    means="The folder's name, trainer_state.json or the evidence of the save tell a step that is higher "
    "than the last one that the run recorded.",
    matters="Such a checkpoint is not of this run. It has happened that a run crashed at step 784, that "
    "checkpoint-6000 was evaluated as its own, and that days went into asking why it translates so badly: "
    "a checkpoint of another run, with another tokenizer, fits better than a broken save.",
    do="Find the run that reached the step: compare the files' times and trainer_state.json with the "
    "record (ledger log). Write each run's checkpoints into a folder of its own.",
)


def inspect(expected: Origin, actual: Origin) -> Iterator[Finding | Skip]:
    """Hold the highest step that the checkpoint tells of itself against the run's last one."""
    steps = {
        "the folder's name": actual.folder_step,
        "trainer_state.json": actual.state_step,
        "the evidence of the save": actual.step,
    }
    told = {where: step for where, step in steps.items() if step is not None}
    if expected.last_step is None:
        yield Skip(CODE, "the record has no last step of a run that this checkpoint is of")
    elif not told:
        yield Skip(CODE, "the checkpoint does not tell its step")
    elif (highest := max(told.values())) > expected.last_step:
        where = " and ".join(where for where, step in told.items() if step == highest)
        yield Finding(
            CODE,
            Severity.ERROR,
            f"step {highest:,} (told by {where}), yet {_run(expected)} ended at step {expected.last_step:,}",
            measured=highest,
            threshold=expected.last_step,
            evidence={"run": expected.run, "steps": told},
        )


def _run(expected: Origin) -> str:
    return expected.run or "the run"
