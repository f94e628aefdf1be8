"""What the ledger does beside a command: which snapshots stay, and what happens where it cannot go on."""

import shutil
import sys
from contextlib import nullcontext
from pathlib import Path
from queue import SimpleQueue

import pytest

from ledger.commands.run.command.attached_checkpoints import AttachedCheckpointVerifier
from ledger.commands.run.command.command import CommandRequest, run_command
from ledger.commands.run.recorder import Recorder
from ledger.errors import LedgerError
from ledger.workspace import Workspace
from runners.environments.inspection import capture
from runners.host.attachment import AttachedCheckpoint
from runners.host.training import SavedCheckpoint


class Heard:
    """A voice that is kept."""

    def __init__(self):
        self.lines = []

    def say(self, text):
        self.lines.append(text)

    def preflight(self, report):
        raise AssertionError(report)

    def progress(self, unit):
        return nullcontext(lambda _: None)


@pytest.fixture
def workspace(repository, monkeypatch):
    monkeypatch.chdir(repository.root)
    return Workspace.find()


PYTHON = Path(sys.executable)


@pytest.fixture
def judge(workspace):
    """judge(saved, ...): what became of these saves, told one after the other."""
    environment = capture(PYTHON)
    with Recorder(workspace, "command", "sweep", "sweep-1") as recorder:
        recorder.started({"inputs": "none", "data": {}, "environment": environment.digest})
        news = SimpleQueue()
        with AttachedCheckpointVerifier(recorder, Heard(), {PYTHON: environment}, news.put) as saves:

            def told(*saved):
                for one in saved:
                    saves.take(AttachedCheckpoint(PYTHON, one))
                return [saves.judge(news.get(timeout=120)) for _ in saved]

            yield told


def save_of(model, folder, snapshot, size=None):
    """A save of that model, and its snapshot; cut off after so many bytes."""
    for place in {folder, snapshot}:
        shutil.copytree(model, place, copy_function=shutil.copy)  # written now, in the run
        if size is not None:
            with (place / "model.safetensors").open("r+b") as weights:
                weights.truncate(size)
    return SavedCheckpoint(int(folder.name.rpartition("-")[2]), folder, snapshot, 0.0, 0.0)


def test_the_last_snapshot_that_passed_stays_for_those_after_it(judge, workspace, tiny_marian):
    """A save that failed says nothing of what the training was once worth."""
    group = workspace.root / "snapshots" / "out.1"
    names = {"checkpoint-1": None, "checkpoint-2": 1000, "checkpoint-3": 1000, "checkpoint-4": None}
    for name, size in names.items():
        save = save_of(tiny_marian, workspace.root / "out" / name, group / name, size)
        (found,) = judge(save)
        assert found.marked == (size is None)
        passed = "checkpoint-4" if name == "checkpoint-4" else "checkpoint-1"
        assert [path.name for path in group.iterdir()] == [passed]


def test_two_saves_into_one_folder_without_hard_links_are_both_judged(judge, workspace, tiny_marian):
    folder = workspace.root / "out-1"
    save = save_of(tiny_marian, folder, folder)
    again = SavedCheckpoint(2, folder, folder, 0.0, 0.0)
    assert [(one.step, one.marked) for one in judge(save, again)] == [(1, True), (2, True)]


def test_a_command_goes_on_where_the_ledger_cannot(workspace, monkeypatch):
    def metric(*_):
        raise LedgerError("the disk is full")

    monkeypatch.setattr(Recorder, "metric", metric)
    script = """
import json, os, pathlib, time
with open(os.environ["LEDGER_ATTACH"] + "/events.jsonl", "a") as events:
    print(json.dumps({"event": "step", "step": 1, "loss": 2.0}), file=events)
time.sleep(2)
pathlib.Path("done").touch()
"""
    heard = Heard()
    with pytest.raises(LedgerError, match="the disk is full"):
        run_command(workspace, CommandRequest([sys.executable, "-c", script]), heard)
    assert Path("done").exists()
    assert any("the command goes on" in line for line in heard.lines)
