import os
import subprocess
import sys
from pathlib import Path

import pytest

QUIET = {**os.environ, "OMP_NUM_THREADS": "1", "WANDB_SILENT": "true", "HF_HUB_OFFLINE": "1"}


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """written(tool): the folder that the tool itself wrote into, once a session."""
    done = {}

    def write(tool):
        if tool not in done:
            done[tool] = tmp_path_factory.mktemp(tool)
            command = [sys.executable, str(Path(__file__).with_name("writers.py")), tool, str(done[tool])]
            subprocess.run(command, cwd=done[tool], env=QUIET, check=True, capture_output=True)
        return done[tool]

    return write
