"""The console blocks of the documentation are true: each command is run, and what it shows is compared."""

import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from ledger.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
PAGES = (
    "commands/check.md",
    "commands/compare.md",
    "commands/explain.md",
    "commands/import.md",
    "commands/init.md",
    "commands/run.md",
)
JOURNAL_PAGES = tuple(
    f"commands/{name}.md" for name in ("log", "show", "fsck", "accept", "note", "skip", "ps", "export")
)
JOURNAL = ROOT / "tests/ledger/journals/v1.jsonl"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def steps(page):
    """Every command of a page with the output that it claims."""
    for block in BLOCK.findall((ROOT / "docs" / page).read_text(encoding="utf-8")):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = step.partition("\n")
            yield command, [line.rstrip() for line in shown.rstrip().splitlines()]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_what_its_commands_print(page, tmp_path):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    environment.pop("COLUMNS", None)
    ran = 0
    for command, claimed in steps(page):
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        shown = [line.rstrip() for line in (done.stdout + done.stderr).rstrip().splitlines()]
        assert len(shown) == len(claimed), (command, shown)
        for line, claim in zip(shown, claimed, strict=True):
            # "…" stands for what differs from run to run: ids and times.
            assert re.fullmatch(".+".join(map(re.escape, claim.split("…"))), line), command
        ran += 1
    assert ran


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_page_that_names_its_options(name):
    text = (ROOT / "docs" / "commands" / f"{name}.md").read_text(encoding="utf-8")
    command = import_module(COMMANDS[name][0]).command
    assert text.startswith(f"# ledger {name}\n")
    for option in options_of(command):
        assert option in text, f"docs/commands/{name}.md does not name {option}"


def options_of(command):
    """The long options of a command and of its subcommands."""
    for parameter in command.params:
        yield from (option for option in parameter.opts if option.startswith("--"))
    for sub in getattr(command, "commands", {}).values():
        yield from options_of(sub)


@pytest.mark.parametrize("page", JOURNAL_PAGES)
def test_a_page_on_the_journal_shows_what_its_commands_print_of_a_small_one(page, tmp_path):
    (tmp_path / "experiments").mkdir()
    shutil.copy(JOURNAL, tmp_path / "experiments/ledger.jsonl")
    subprocess.run(["git", "init", "-q", "-b", "main", str(tmp_path)], check=True)
    test_a_page_shows_what_its_commands_print(page, tmp_path)
