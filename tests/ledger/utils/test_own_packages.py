"""Whatever packages a user has, the command uses its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.utils import own_packages

ROOT = Path(__file__).parents[3]
STARTS = {
    "the installed command": [sys.executable, str(ROOT / "experiment_ledger.py")],
    "python -m": own_packages.command("ledger"),
}


@pytest.fixture
def folder(tmp_path):
    """A user's folder with packages of our names, one of which also exists as a plain file of text."""
    for name in own_packages.PACKAGES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('the package of the user')\n")
    (tmp_path / "out.de").write_text("Hallo Welt.\n")
    subprocess.run(["git", "init", "-q", "."], cwd=tmp_path, check=True)
    return tmp_path


@pytest.mark.parametrize("start", STARTS)
def test_packages_of_the_same_names_on_the_path_are_not_used(folder, start):
    variables = {**os.environ, "PYTHONPATH": str(folder), "LEDGER_SEND": "never"}
    for arguments in (
        ("check", "out.de", "--lang", "de"),
        ("init",),
        ("run", "--", sys.executable, "-c", "print(1)"),
        ("fsck",),
    ):
        done = subprocess.run(
            [*STARTS[start], *arguments],
            cwd=folder,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_command_line_takes_the_guards_of_this_project_over_those_on_the_path(folder):
    for name in ("ledger", "runners"):
        (folder / name / "__init__.py").unlink()
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
    code = "from ledger.cli.main import main; main()"
    command = [sys.executable, "-P", "-c", code, "check", "out.de", "--lang", "de"]
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
