"""Real checkpoints of each family, made once, and one worker that reloads them all."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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
