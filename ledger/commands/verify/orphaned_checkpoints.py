"""Saves that a training in a command made, and did not live to tell of: `ledger verify` meets them later.

Known by what the attached processes left in their run's folder, so where that is gone they look foreign.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ledger.checkpoints.provenance import origin_of_checkpoint
from ledger.journal.run import Run
from ledger.workspace import Workspace
from runners.host.attachment import (
    AttachedCheckpoint,
    AttachedEvent,
    AttachedTraining,
    Attachment,
    Unverified,
)

CLOCKS = timedelta(seconds=2)  # file systems keep coarse times


def run_of_orphan(checkpoint: Path, runs: Iterable[Run], workspace: Workspace) -> Run | None:
    """The command whose training was saving in this folder then, and never told of this save."""
    folder = checkpoint.absolute()
    origin = origin_of_checkpoint(checkpoint)
    if origin.folder_step is None or origin.written is None:
        return None
    written = datetime.fromisoformat(origin.written)
    for run in runs:
        if run.mode == "command" and _was_going_on(run, written):
            told = Attachment(workspace.runs / run.id).read()
            if _is_untold(folder, origin.folder_step, told):
                return run
    return None


def _was_going_on(run: Run, moment: datetime) -> bool:
    began = datetime.fromisoformat(run.time)
    ended = began + timedelta(seconds=run.seconds) if run.seconds is not None else datetime.now(UTC)
    return began - CLOCKS <= moment <= ended + CLOCKS


def _is_untold(folder: Path, step: int, told: Iterable[AttachedEvent]) -> bool:
    expected = False
    for news in told:
        match news:
            case AttachedTraining():
                expected = expected or (news.folder == folder.parent and step > news.step)
            case AttachedCheckpoint() if news.saved.folder == folder:
                return False
            case Unverified() if news.folder == folder:
                return False
    return expected
