"""A tiny model and its text, for scripts that a user might have."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runners.rehearsal.text import pairs
from tests.conftest import make_once

ROOT = Path(__file__).parents[3]
BUILDER = ROOT / "tests" / "runners" / "tiny.py"


def build_model(python: Path, folder: Path) -> Path:
    """A tiny Marian with random weights, written by that Python's transformers."""
    lines = "\n".join(line for pair in pairs(200) for line in (pair.ko, pair.ja))
    quiet = {**os.environ, "TRANSFORMERS_VERBOSITY": "error"}
    command = [str(python), "-P", str(BUILDER), str(folder), "marian"]
    subprocess.run(command, input=lines, encoding="utf-8", check=True, capture_output=True, env=quiet)
    return folder / "marian"


@pytest.fixture(scope="session")
def tiny_marian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_once(tmp_path_factory, "tiny", lambda root: build_model(Path(sys.executable), root))
    return folder / "marian"


@pytest.fixture
def train_file(tmp_path: Path) -> Path:
    path = tmp_path / "train.json"
    rows = [{"translation": {"ko": pair.ko, "ja": pair.ja}} for pair in pairs(64)]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path
