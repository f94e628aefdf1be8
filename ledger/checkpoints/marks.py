"""The mark of a verified checkpoint: a small file in its folder, valid as long as the files are unchanged."""

from dataclasses import dataclass
from pathlib import Path

from ledger.checkpoints.folders import digest_files, list_checkpoints, verified_path
from ledger.checkpoints.stored_evidence import VERSION, parse
from ledger.errors import LedgerError
from ledger.evidence.metrics import Metric


@dataclass(frozen=True, slots=True)
class Mark:
    """That a checkpoint was reloaded and passed. `files` is the digest of what was verified, `entry` the id
    of the journal's entry, None where there was no journal."""

    files: str
    verdict: str
    time: str
    entry: str | None = None
    environment: str | None = None
    bleu: Metric | None = None
    v: int = VERSION


def write_mark(checkpoint: Path, mark: Mark) -> None:
    """Mark a checkpoint, in one step. Raises LedgerError when it cannot be written."""
    import orjson

    from ledger.utils.textfiles import write_lines_atomically

    path = verified_path(checkpoint)
    path.parent.mkdir(exist_ok=True)
    write_lines_atomically(path, [orjson.dumps(mark).decode()])


def read_mark(checkpoint: Path) -> Mark | None:
    """The mark, if there is one and the files are still those that were verified."""
    mark = stated_mark(checkpoint)
    try:
        holds = mark is not None and mark.verdict == "pass" and mark.files == digest_files(checkpoint)
    except OSError:
        return None
    return mark if holds else None


def stated_mark(checkpoint: Path) -> Mark | None:
    """What the mark says, whether or not the files are still those; None where there is none to read."""
    import orjson

    try:
        return parse(Mark, orjson.loads(verified_path(checkpoint).read_bytes()))
    except (OSError, orjson.JSONDecodeError, LedgerError):
        return None


def newest_verified(folder: Path) -> Path | None:
    """The checkpoint of the highest step in `folder` whose mark holds."""
    return next((path for path in reversed(list_checkpoints(folder)) if read_mark(path)), None)
