"""Real checkpoints of each family, made once, and one worker that reloads them all."""

import contextlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.cli.boundary import run_command
from ledger.cli.main import cli
from runners.host.worker_process import Worker
from runners.rehearsal.text import pairs
from tests.conftest import make_once

MAKER = Path(__file__).with_name("checkpoints.py")
FAMILIES = ("marian", "mbart50", "m2m100", "nllb", "t5", "mbart")


@pytest.fixture(scope="session")
def lines():
    return [[pair.ko, pair.ja] for pair in pairs(200)]


@pytest.fixture(scope="session")
def healthy(tmp_path_factory, lines):
    """A checkpoint folder of each family, by name."""

    def make(folder):
        command = [sys.executable, str(MAKER), str(folder), *FAMILIES]
        subprocess.run(command, input=json.dumps(lines).encode(), check=True, capture_output=True)

    folder = make_once(tmp_path_factory, "checkpoints", make)
    return {family: folder / family / "checkpoint-20" for family in FAMILIES}


@pytest.fixture
def marian(healthy, tmp_path):
    """A copy that a test may damage."""
    return Path(shutil.copytree(healthy["marian"], tmp_path / "run" / "checkpoint-20"))


@pytest.fixture(scope="session")
def worker(tmp_path_factory):
    with Worker(Path(sys.executable), tmp_path_factory.mktemp("worker") / "worker.log") as worker:
        yield worker


@pytest.fixture
def outside(tmp_path, monkeypatch):
    """A folder with no ledger at or above it; the current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def ledger(capfd, monkeypatch, worker):
    """Runs `ledger verify ARGUMENTS` in this process; gives exit code, JSON document and messages.

    The worker is the one that all tests share, unless an interpreter is named: starting one takes longest.
    """
    from ledger.commands.verify import verify

    started = verify.Worker

    def choose(interpreter, log):
        shared = interpreter == Path(sys.executable)
        return contextlib.nullcontext(worker) if shared else started(interpreter, log)

    monkeypatch.setattr(verify, "Worker", choose)

    def run(*arguments):
        code = run_command(cli, ["verify", *map(str, arguments), "--json"])
        told = capfd.readouterr()
        return code, json.loads(told.out) if told.out else None, told.err

    return run
