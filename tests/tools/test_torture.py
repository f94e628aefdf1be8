"""One small representative of each class of the campaign."""

import subprocess
import sys

from tests.conftest import ROOT


def test_nothing_is_lost_or_passes_wrongly_and_a_second_call_goes_on(tmp_path):
    command = [
        sys.executable,
        "tools/torture.py",
        "--scale",
        "0.005",
        "--state",
        str(tmp_path / "state.json"),
    ]
    first = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert first.returncode == 0, first.stdout + first.stderr
    assert len(first.stdout.splitlines()) == 7
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert again.stdout == first.stdout
