"""Which Python an experiment runs with: what is installed, or what is built, or a refusal."""

import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from ledger.commands.env import choose, named
from ledger.display.progress import show_progress
from ledger.environments.lockfile import read
from ledger.workspace import Workspace


class Told:
    """Keeps what is said."""

    def __init__(self):
        self.said = []

    def say(self, text):
        self.said.append(text)

    def preflight(self, report):
        raise AssertionError("preflight is the run's matter")

    def progress(self, unit):
        return show_progress(unit)


@pytest.fixture
def lock(tmp_path):
    def write(*pins):
        path = tmp_path / "mt.txt"
        path.write_text("".join(f"{pin}\n" for pin in pins))
        return [read(path)]

    return write


def test_without_a_lockfile_or_with_what_it_pins_this_python_is_taken(lock):
    told = Told()
    for lockfiles in ([], lock(f"rich=={version('rich')}")):
        choice = choose(lockfiles, (), told)
        assert choice.python == Path(sys.executable)
        assert choice.environment.installed.versions["rich"] == version("rich")
    assert told.said == []


def test_allowed_drift_keeps_this_python(lock):
    choice = choose(lock("rich==0.1"), {"ENV001"}, Told())
    assert choice.python == Path(sys.executable)
    assert choice.environment.pins.versions == {"rich": "0.1"}


def test_what_has_no_room_is_refused_before_anything_is_fetched(lock, tmp_path, monkeypatch):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    monkeypatch.setenv("LEDGER_ENVIRONMENTS", str(disk / "environments"))
    try:
        choice = choose(lock("rich==0.1", "nosuch==1.0"), (), Told())
        assert choice.python == Path(sys.executable)
        assert choice.report.failing == {"PRE003"}
        assert "2 packages; an estimate" in choice.report.findings[0].message
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_path_starts_at_the_repository(tmp_path, lock):
    lock("rich==0.1")
    (found,) = named("mt.txt", Workspace(tmp_path))
    assert found.path == tmp_path / "mt.txt"
    assert named(None, Workspace(tmp_path)) == []
