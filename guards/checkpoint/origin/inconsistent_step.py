"""CKP014: the checkpoint states different steps in different places."""

from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.provenance import Origin
from ledger.findings import Finding, Severity, Skip

CODE = "CKP014"
TITLE = "trainer_state.json disagrees with the folder's name"
READS = (Origin, Origin)
EXPLANATION = Explanation(
    means="The step in the folder's name, global_step in trainer_state.json and the step in the stored "
    "evidence are not the same, or trainer_state.json cannot be read.",
    matters="Files of two checkpoints were mixed, the folder was renamed, or a save was interrupted. A "
    "training that resumes from it starts with the wrong learning rate and skips the wrong data.",
    do="Do not resume from it, and do not trust its scores. Check where the folder was copied from.",
)


def inspect(_expected: Origin, actual: Origin) -> Iterator[Finding | Skip]:
    """Compare the steps that the checkpoint states; its run does not matter."""
    if actual.unreadable:
        yield Finding(CODE, Severity.ERROR, f"trainer_state.json cannot be read: {actual.unreadable}")
        return
    steps = stated_steps(actual)
    if len(steps) < 2:
        yield Skip(CODE, "the checkpoint states its step in fewer than two places")
    elif len(set(steps.values())) > 1:
        yield Finding(
            CODE,
            Severity.ERROR,
            ", ".join(f"{where} says step {step:,}" for where, step in steps.items()),
            measured=actual.state_step,
            threshold=actual.folder_step,
            evidence={"steps": steps},
        )


def stated_steps(checkpoint: Origin) -> dict[str, int]:
    """The steps that a checkpoint states, by place."""
    steps = {
        "the folder's name": checkpoint.folder_step,
        "trainer_state.json": checkpoint.state_step,
        "the stored evidence": checkpoint.step,
    }
    return {where: step for where, step in steps.items() if step is not None}
