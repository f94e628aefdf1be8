"""The mark of a verified checkpoint: a small file in its folder, valid as long as the files are unchanged."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ledger.checkpoints.folders import (
    FOLDER,
    digest_files,
    has_own_folder,
    list_checkpoints,
    read_small,
    verified_path,
)
from ledger.checkpoints.levels import Level
from ledger.checkpoints.stored_evidence import VERSION, parse
from ledger.errors import LedgerError
from ledger.evidence.metrics import Metric


@dataclass(frozen=True, slots=True)
class Mark:
    """That a checkpoint was reloaded and passed. `files` is the digest of what was verified, `entry` the id
    of the journal's entry, None where there was no journal. `levels`: what the verdict rests on; empty in
    marks of older versions, which do not say it."""

    files: str
    verdict: str
    time: str
    entry: str | None = None
    environment: str | None = None
    bleu: Metric | None = None
    levels: tuple[str, ...] = ()
    v: int = VERSION


def write_mark(checkpoint: Path, mark: Mark) -> None:
    """Mark a checkpoint, in one step. Raises LedgerError when it cannot be written."""
    import orjson

    from ledger.utils.textfiles import write_lines_atomically

    if not has_own_folder(checkpoint):
        raise LedgerError(f"{checkpoint / FOLDER} is a link to another place", hint="replace it by a folder")
    path = verified_path(checkpoint)
    path.parent.mkdir(exist_ok=True)
    write_lines_atomically(path, [orjson.dumps(mark).decode()])


def remove_mark(checkpoint: Path) -> None:
    """Remove the mark, if the checkpoint has one of its own."""
    if has_own_folder(checkpoint):
        with suppress(OSError):
            verified_path(checkpoint).unlink()


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

    if not has_own_folder(checkpoint):
        return None
    try:
        return parse(Mark, orjson.loads(read_small(verified_path(checkpoint))))
    except (OSError, orjson.JSONDecodeError, LedgerError):
        return None


def is_verified(checkpoint: Path, level: Level | None = None) -> bool:
    """Whether its mark holds, and rests on `level` if one is asked for."""
    mark = read_mark(checkpoint)
    return mark is not None and (level is None or level in mark.levels)


def newest_verified(folder: Path, level: Level | None = None) -> Path | None:
    """The checkpoint of the highest step in `folder` that is verified, on that level if one is asked for."""
    return next((path for path in reversed(list_checkpoints(folder)) if is_verified(path, level)), None)
