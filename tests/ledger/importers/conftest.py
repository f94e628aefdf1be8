import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import make_once

QUIET = {**os.environ, "WANDB_SILENT": "true", "HF_HUB_OFFLINE": "1"}


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """written(tool): the folder that the tool itself wrote into, once a session."""

    def write(tool):
        def make(folder):
            command = [sys.executable, str(Path(__file__).with_name("writers.py")), tool, str(folder)]
            subprocess.run(command, cwd=folder, env=QUIET, check=True, capture_output=True)

        return make_once(tmp_path_factory, f"written-by-{tool}", make)

    return write
