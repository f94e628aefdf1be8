"""The checkpoint monitor of a command: which snapshots it keeps, and what happens where it cannot go on."""

import shutil
import sys
import time
from contextlib import contextmanager, nullcontext
from pathlib import Path
from threading import Thread

import pytest

from ledger.commands.run.command.command import CommandRequest, run_command
from ledger.commands.run.monitor import CheckpointMonitor, Ended
from ledger.commands.run.recorder import Recorder
from ledger.errors import LedgerError
from ledger.workspace import Workspace
from runners.environments.inspection import capture
from runners.worker.messages import SavedCheckpoint


class RecordingReporter:
    """Stores what is said."""

    def __init__(self):
        self.lines = []

    def say(self, text):
        self.lines.append(text)

    def checkpoint(self, told):
        self.lines += told

    def preflight(self, report):
        raise AssertionError(report)

    def progress(self, unit):
        return nullcontext(lambda _: None)


@pytest.fixture
def workspace(repository, monkeypatch):
    monkeypatch.chdir(repository.root)
    return Workspace.find()


PYTHON = Path(sys.executable)


class Saves:
    """A source of these checkpoints. `after(n)` is called by the monitor's thread when n are verified."""

    survives_interrupt = True

    def __init__(self, monitor, saved, after):
        self.monitor, self.saved, self.after = monitor, saved, after

    @contextmanager
    def reporting(self, post):
        Thread(target=self._post, args=(post,), daemon=True).start()
        yield

    def _post(self, post):
        for number, one in enumerate(self.saved, 1):
            post(one)
            while self.after and len(self.monitor.checkpoints) < number:
                time.sleep(0.02)
            post(str(number))
        post(Ended())

    def handle(self, event):
        if isinstance(event, SavedCheckpoint):
            self.monitor.verify(event, PYTHON)
        elif isinstance(event, str) and self.after:
            self.after(int(event))

    def stop(self):
        return False


@pytest.fixture
def verify(workspace):
    """verify(saved, after): the verified checkpoints. Without `after`, all are reported at once."""

    def verify(saved, after=None):
        environment = capture(PYTHON)
        with Recorder(workspace, "command", "sweep", "sweep-1") as recorder:
            recorder.started({"inputs": "none", "data": {}, "environment": environment.digest})
            say, known = RecordingReporter().say, {PYTHON: environment}
            monitor = CheckpointMonitor(recorder, say, known, stop_on_fail=False)
            monitor.run(Saves(monitor, saved, after))
            return monitor.checkpoints

    return verify


def save(model, folder, snapshot, size=None):
    """A checkpoint of that model, and its snapshot; both with weights truncated to `size` bytes."""
    for place in {folder, snapshot}:
        shutil.copytree(model, place, copy_function=shutil.copy)  # written now, in the run
        if size is not None:
            with (place / "model.safetensors").open("r+b") as weights:
                weights.truncate(size)
    return SavedCheckpoint(int(folder.name.rpartition("-")[2]), folder, snapshot)


def test_the_last_snapshot_that_passed_is_kept_for_the_next_checkpoints(verify, workspace, tiny_marian):
    """A checkpoint that failed is nothing to compare the scores of the next ones with."""
    group, out = workspace.root / "snapshots" / "out.1", workspace.root / "out"
    sizes = {"checkpoint-1": None, "checkpoint-2": 1000, "checkpoint-3": 1000, "checkpoint-4": None}
    saved = [save(tiny_marian, out / name, group / name, size) for name, size in sizes.items()]
    names = list(sizes)
    present = {}

    def after(number):
        present[number] = {path.name for path in group.iterdir()} - set(names[number:])

    verified = verify(saved, after)
    assert [one.marked for one in verified] == [size is None for size in sizes.values()]
    assert present == {
        1: {"checkpoint-1"},
        2: {"checkpoint-1"},
        3: {"checkpoint-1"},
        4: {"checkpoint-4"},
    }


def test_two_saves_into_one_folder_without_hard_links_are_both_verified(verify, workspace, tiny_marian):
    folder = workspace.root / "out-1"
    first = save(tiny_marian, folder, folder)
    again = SavedCheckpoint(2, folder, folder)
    assert [(one.step, one.marked) for one in verify([first, again])] == [(1, True), (2, True)]


def test_a_command_continues_where_the_ledger_cannot(workspace, monkeypatch):
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
    reporter = RecordingReporter()
    with pytest.raises(LedgerError, match="the disk is full"):
        run_command(workspace, CommandRequest([sys.executable, "-c", script]), reporter)
    assert Path("done").exists()
    assert any("the command continues" in line for line in reporter.lines)
