"""CKP014: the checkpoint contradicts itself on its step."""

from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.provenance import Origin
from ledger.findings import Finding, Severity, Skip

CODE = "CKP014"
TITLE = "trainer_state.json disagrees with the folder's name"
READS = (Origin, Origin)
EXPLANATION = Explanation(
    means="The step in the folder's name, global_step in trainer_state.json and the step in the evidence "
    "of the save are not the same, or trainer_state.json cannot be read.",
    matters="Files of two checkpoints were mixed, the folder was renamed, or a save was cut off. What "
    "resumes from it starts with a wrong learning rate and skips the wrong data.",
    do="Do not resume from it, nor believe its scores. Look where the folder was copied from.",
)


def inspect(_expected: Origin, actual: Origin) -> Iterator[Finding | Skip]:
    """Compare the steps that the checkpoint tells of itself; its run does not matter."""
    if actual.unreadable:
        yield Finding(CODE, Severity.ERROR, f"trainer_state.json cannot be read: {actual.unreadable}")
        return
    steps = {
        "the folder's name": actual.folder_step,
        "trainer_state.json": actual.state_step,
        "the evidence of the save": actual.step,
    }
    told = {where: step for where, step in steps.items() if step is not None}
    if len(told) < 2:
        yield Skip(CODE, "the checkpoint tells its step in fewer than two places")
    elif len(set(told.values())) > 1:
        yield Finding(
            CODE,
            Severity.ERROR,
            ", ".join(f"{where} says step {step:,}" for where, step in told.items()),
            measured=actual.state_step,
            threshold=actual.folder_step,
            evidence={"steps": told},
        )
