"""Orphaned checkpoints: saved by a training in a command that ended before reporting them.

They are recognised by the events in the command's run folder; without that they look like anybody's.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ledger.checkpoints.provenance import origin_of_checkpoint
from ledger.journal.run import Run
from ledger.workspace import Workspace
from runners.host.attachment import AttachedCheckpoint, AttachedEvent, Attachment
from runners.worker.messages import AttachedTraining, Unverified

CLOCK_TOLERANCE = timedelta(seconds=2)  # file systems store coarse times


def run_of_orphan(checkpoint: Path, runs: Iterable[Run], workspace: Workspace) -> Run | None:
    """The command whose training saved in this folder at that time, and did not report this checkpoint."""
    folder = checkpoint.absolute()
    origin = origin_of_checkpoint(checkpoint)
    if origin.folder_step is None or origin.written is None:
        return None
    written = datetime.fromisoformat(origin.written)
    for run in runs:
        if run.mode == "command" and _was_running(run, written):
            events = Attachment(workspace.runs / run.id).read()
            if _is_orphaned(folder, origin.folder_step, events):
                return run
    return None


def _was_running(run: Run, moment: datetime) -> bool:
    began = datetime.fromisoformat(run.time)
    ended = began + timedelta(seconds=run.seconds) if run.seconds is not None else datetime.now(UTC)
    return began - CLOCK_TOLERANCE <= moment <= ended + CLOCK_TOLERANCE


def _is_orphaned(folder: Path, step: int, events: Iterable[AttachedEvent]) -> bool:
    expected = False
    for event in events:
        match event:
            case AttachedTraining():
                expected = expected or (event.folder == folder.parent and step > event.step)
            case AttachedCheckpoint() if event.saved.folder == folder:
                return False
            case Unverified() if event.folder == folder:
                return False
    return expected
