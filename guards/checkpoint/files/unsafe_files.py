"""CKP002: files of the checkpoint were refused, since opening them could execute what they hold."""

from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.checkpoint_files import CheckpointFiles, SoundFiles
from ledger.findings import Finding, Severity

CODE = "CKP002"
TITLE = "a file of the checkpoint was refused"
READS = (SoundFiles, CheckpointFiles)
EXPLANATION = Explanation(
    means="The checkpoint asks for something that is never done: to unpickle objects other than tensors, "
    "to run code that comes with it, or to follow a link out of its folder.",
    matters="A pickle can run any command when it is opened, and remote code is run when the model is "
    "loaded. Verifying a checkpoint must be safe whoever made it.",
    do="Ask its maker for safetensors, or write them yourself where you trust the file: "
    "model.save_pretrained(FOLDER) with a current transformers. Replace a link by the file itself.",
)


def inspect(_expected: SoundFiles, actual: CheckpointFiles) -> Iterator[Finding]:
    """One finding for each file, for each is a decision of its own."""
    for file, why in sorted(actual.refusals.items()):
        yield Finding(
            CODE,
            Severity.ERROR,
            f"{file} was not opened: {why}",
            measured=file,
            evidence={"path": actual.path, "format": actual.format, "why": why},
        )
