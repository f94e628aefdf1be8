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
    means="A file that the model needs is missing or shorter than its own header says, or a shard that the "
    "index names is missing. An empty folder counts as well, and so does one with an optimizer but no "
    "weights.",
    matters="A checkpoint is written in place, file after file, so a folder's existence says nothing about "
    "its completeness. A checkpoint truncated by a full disk or a killed process is often discovered only "
    "when it is needed.",
    do="Do not resume from it. ledger verify --last DIR prints the newest verified checkpoint. Check the "
    "free space before the next checkpoint is written.",
)
MOST_SHOWN = 4


def inspect(_expected: SoundFiles, actual: CheckpointFiles) -> Iterator[Finding]:
    """Report all problems in one finding that shows the first few."""
    if not actual.problems:
        return
    problems = [f"{file}: {problem}" for file, problem in sorted(actual.problems.items())]
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
