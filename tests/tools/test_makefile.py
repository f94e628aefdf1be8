import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def dry_run(target):
    command = ["make", "--dry-run", "--no-print-directory", target]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_help_is_the_default_and_lists_every_target():
    shown = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = set(re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[1].split())
    assert set(re.findall(r"^make (\w+)", shown, re.MULTILINE)) == targets - {"help"}


def test_every_target_makes_the_environment_first():
    for target in ("demo", "check", "test", "lint", "gate", "bench", "lock"):
        assert "tools/setup_env.py" in dry_run(target).splitlines()[0]


def test_ci_runs_what_people_run():
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert "make test" in script.read_text(encoding="utf-8")
    steps = dry_run("test")
    assert all(
        tool in steps
        for tool in ("ruff check", "ruff format", "mypy", "lint-imports", "ledger gate", "pytest")
    )
