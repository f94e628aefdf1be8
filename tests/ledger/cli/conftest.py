import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger.cli.boundary import run_command
from ledger.cli.main import cli
from ledger.workspace import Workspace

V1 = Path(__file__).parents[2] / "data" / "journals" / "v1.jsonl"


@dataclass
class Answer:
    code: int
    out: str
    err: str

    @property
    def document(self):
        return json.loads(self.out)


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """A repository with the small journal of schema 1, as the current folder."""
    (tmp_path / "experiments").mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=tmp_path, check=True)
    shutil.copy(V1, tmp_path / "experiments/ledger.jsonl")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return Workspace(tmp_path)


@pytest.fixture
def ledger(capsys):
    """Runs `ledger ARGUMENTS` in this process, behind the same boundary as the installed command."""

    def run(*arguments):
        code = run_command(cli, arguments)
        printed = capsys.readouterr()
        return Answer(code, printed.out, printed.err)

    return run
