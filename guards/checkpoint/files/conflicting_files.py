"""CKP018: the folder's weight files contradict each other."""

from collections.abc import Iterator, Mapping

from guards.guard import Explanation
from ledger.evidence.checkpoint_files import CheckpointFiles, SoundFiles
from ledger.findings import Finding, Severity
from ledger.utils.plural import and_more

CODE = "CKP018"
TITLE = "weight files contradict each other"
READS = (SoundFiles, CheckpointFiles)
EXPLANATION = Explanation(
    means="A tensor is stored in two shards with different values, or a shard holds tensors that the index "
    "leaves out: an error. Or a second set of weights, which is not loaded, differs from the one that is (a "
    "newer pytorch_model.bin next to an older model.safetensors), or shards of another save were left: a "
    "warning. Two formats with the same values are sound, and so is a second format that cannot be read.",
    matters="Which of two values is loaded depends on the library and its version, and none of them reports "
    "it. A folder that was saved into twice looks complete and loads the older weights. Copies change the "
    "times of files, so the newer file is only a hint, and the finding a warning.",
    do="Save the model again into an empty folder. If that is impossible, remove the files that the finding "
    "names after you have compared both: with only one set in the folder, verify each.",
)
MOST_SHOWN = 3


def inspect(_expected: SoundFiles, actual: CheckpointFiles) -> Iterator[Finding]:
    """One error for what can be loaded in two ways, one warning for what is not loaded."""
    if actual.conflicts:
        yield _finding(Severity.ERROR, actual.conflicts)
    if actual.leftovers:
        yield _finding(Severity.WARNING, actual.leftovers)


def _finding(severity: Severity, files: Mapping[str, str]) -> Finding:
    return Finding(
        CODE,
        severity,
        and_more([f"{file} {what}" for file, what in sorted(files.items())], MOST_SHOWN, "; "),
        measured=len(files),
        threshold=0,
        evidence={"files": dict(files)},
    )
