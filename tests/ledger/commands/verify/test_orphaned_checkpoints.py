"""Which saves a command's training owed evidence of: those that it was making then, and never told of."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from ledger.commands.verify.orphaned_checkpoints import run_of_orphan
from ledger.journal.run import Run
from ledger.workspace import Workspace

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def ran(workspace, *events, seconds=60.0, mode="command"):
    """A run that began at NOW, and what its processes told."""
    folder = workspace.runs / "sweep-1"
    folder.mkdir(parents=True)
    (folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    finished = None if seconds is None else {"seconds": seconds}
    status = "interrupted" if finished is None else "failed"
    return Run("sweep-1", "sweep", mode, NOW.isoformat(), status, {}, finished)


def training(folder, step=0):
    return {"event": "training", "python": "/python", "folder": str(folder), "step": step, "filtered": True}


@pytest.fixture
def save(tmp_path):
    """A checkpoint whose weights were written half a minute after NOW."""
    folder = tmp_path / "out" / "checkpoint-4"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"")
    moment = (NOW + timedelta(seconds=30)).timestamp()
    os.utime(folder / "model.safetensors", (moment, moment))
    return folder


@pytest.mark.parametrize("seconds", [60.0, None])
def test_a_save_that_nobody_told_of_is_owed(tmp_path, save, seconds):
    workspace = Workspace(tmp_path)
    run = ran(workspace, training(save.parent), seconds=seconds)
    assert run_of_orphan(save, [run], workspace) is run


def test_nothing_is_owed_by_who_told_or_was_elsewhere(tmp_path, save):
    saved = {"event": "saved", "python": "/python", "step": 4, "folder": str(save), "snapshot": str(save)}
    unverified = {"event": "unverified", "step": 4, "folder": str(save), "reason": "quantized"}
    begun = training(save.parent)
    cases = {
        "told": ([begun, {**saved, "save_seconds": 0.0, "evidence_seconds": 0.0}], {}),
        "left alone": ([begun, unverified], {}),
        "another folder": ([training(save.parent.parent)], {}),
        "it was there before": ([training(save.parent, step=4)], {}),
        "no training": ([], {}),
        "over by then": ([begun], {"seconds": 10.0}),
        "no command": ([begun], {"mode": "real"}),
    }
    for name, (events, changes) in cases.items():
        workspace = Workspace(tmp_path / name)
        run = ran(workspace, *events, **changes)
        assert run_of_orphan(save, [run], workspace) is None, name
