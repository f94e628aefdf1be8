"""CKP001: files of the checkpoint are missing, truncated or not readable."""

from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.checkpoint_files import CheckpointFiles, SoundFiles
from ledger.findings import Finding, Severity

CODE = "CKP001"
TITLE = "the checkpoint is incomplete or truncated"
READS = (SoundFiles, CheckpointFiles)
EXPLANATION = Explanation(
    means="A file that the model needs is not there, or is shorter than its own header says, or a shard "
    "that the index names is missing. A folder with an optimizer and no weights, and an empty one, count "
    "as well.",
    matters="A checkpoint is written in place, file after file, so a folder's existence says nothing "
    "about its completeness. A save that was cut off by a full disk or a killed process is often found "
    "only when it is needed.",
    do="Do not resume from it. The newest checkpoint that was verified is printed by: ledger verify "
    "--last DIR. Look at the free space before the next save.",
)
MOST_TOLD = 4


def inspect(_expected: SoundFiles, actual: CheckpointFiles) -> Iterator[Finding]:
    """Tell all the problems in one finding, the first few with what is wrong."""
    if not actual.problems:
        return
    told = [f"{file}: {what}" for file, what in sorted(actual.problems.items())]
    more = len(told) - MOST_TOLD
    yield Finding(
        CODE,
        Severity.ERROR,
        f"{'; '.join(told[:MOST_TOLD])}{f'; and {more} more' if more > 0 else ''}",
        measured=len(told),
        threshold=0,
        evidence={
            "path": actual.path,
            "format": actual.format,
            "bytes": actual.bytes,
            "problems": dict(actual.problems),
        },
    )
