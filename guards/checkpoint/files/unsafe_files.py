"""CKP002: files of the checkpoint were refused, since opening them could execute code."""

from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.checkpoint_files import CheckpointFiles, SoundFiles
from ledger.findings import Finding, Severity

CODE = "CKP002"
TITLE = "a file of the checkpoint was refused"
READS = (SoundFiles, CheckpointFiles)
EXPLANATION = Explanation(
    means="Loading the checkpoint would require something that is never done: unpickling objects other than "
    "tensors, running code that comes with it, or reading a file outside of its folder: by a link, or "
    "because the index of its shards or the config of its tokenizer names one.",
    matters="A pickle can run any command when it is opened, and remote code runs when the model is "
    "loaded. Verifying a checkpoint must be safe, whoever made it. A file elsewhere can change without the "
    "checkpoint, so its mark would mean nothing.",
    do="Ask its author for safetensors, or write them yourself if you trust the file: "
    "model.save_pretrained(FOLDER) with a current transformers. Replace links by the files themselves.",
)


def inspect(_expected: SoundFiles, actual: CheckpointFiles) -> Iterator[Finding]:
    """One finding for each file, since each needs its own decision."""
    for file, why in sorted(actual.refusals.items()):
        yield Finding(
            CODE,
            Severity.ERROR,
            f"{file} was not opened: {why}",
            measured=file,
            evidence={"path": actual.path, "format": actual.format, "why": why},
        )
