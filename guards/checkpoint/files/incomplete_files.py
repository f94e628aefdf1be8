"""CKP001: files of the checkpoint are missing, truncated or unreadable."""

from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.checkpoint_files import CheckpointFiles, SoundFiles
from ledger.findings import Finding, Severity
from ledger.utils.plural import and_more

CODE = "CKP001"
TITLE = "the checkpoint is incomplete or truncated"
READS = (SoundFiles, CheckpointFiles)
EXPLANATION = Explanation(
    means="A file that the model needs is missing, shorter than its own header says, or not a file at all (a "
    "pipe, a folder, a link to itself), or a shard that the index names is missing. An empty folder counts "
    "as well, and so does an optimizer without weights, a tensor of size 0, a config with absurd numbers, "
    "or one that asks for a quantisation that the tensors do not have.",
    matters="A checkpoint is written in place, file after file, so a folder's existence says nothing about "
    "its completeness. A checkpoint truncated by a full disk or a killed process is often discovered only "
    "when it is needed. DeepSpeed ZeRO-3 saves empty tensors unless they are gathered first.",
    do="Do not resume from it. ledger verify --last DIR prints the newest verified checkpoint. Check the "
    "free space before the next checkpoint is written.",
)
MOST_SHOWN = 4
WHOLE = "."  # what no single file is to blame for


def inspect(_expected: SoundFiles, actual: CheckpointFiles) -> Iterator[Finding]:
    """Report all problems in one finding that shows the first few."""
    if not actual.problems:
        return
    named = {"the folder" if file == WHOLE else file: problem for file, problem in actual.problems.items()}
    problems = [f"{file}: {problem}" for file, problem in sorted(named.items())]
    yield Finding(
        CODE,
        Severity.ERROR,
        and_more(problems, MOST_SHOWN, "; "),
        measured=len(problems),
        threshold=0,
        evidence={
            "path": actual.path,
            "format": actual.format,
            "bytes": actual.bytes,
            "problems": dict(actual.problems),
        },
    )
