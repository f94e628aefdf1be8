"""What TAB offers: the command is called as a shell calls it for completions."""

import os
import subprocess
from pathlib import Path

import pytest

from guards.registry import by_code
from ledger.cli.main import COMMANDS
from tests.command import LEDGER, run_ledger


def offered(words, shell="bash"):
    """Complete the last word, which may be empty."""
    asked = {
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
        "_LEDGER_COMPLETE": f"{shell}_complete",
    }
    done = run_ledger(cwd=Path.cwd(), variables=asked)
    assert (done.returncode, done.stderr) == (0, "")
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


@pytest.fixture
def specs(recorded):
    for name in ("exp5", "exp11", "planned"):
        (recorded.experiments / f"{name}.yaml").touch()
    recorded.lockfiles.mkdir()
    for name in ("mt-4.57.6.txt", "mt-4.57.6-cpu.txt", "mt-4.57.6.in", "mt-5.0.0-cpu.txt"):
        (recorded.lockfiles / name).touch()
    return recorded


def test_commands():
    assert offered("ledger ") == list(COMMANDS)
    assert offered("ledger re") == ["reproduce", "report"]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("ledger run ", ["exp5", "exp11", "planned"]),
        ("ledger skip p", ["planned"]),
        ("ledger run exp5 --res", ["--resume"]),
        ("ledger show exp", ["exp5", "exp6", "exp7"]),
        ("ledger show exp7-", ["exp7-3fa91c"]),
        ("ledger log --experiment exp7", ["exp7"]),
        ("ledger note exp", ["exp5", "exp11", "exp6", "exp7"]),
        ("ledger compare exp5 exp7", ["exp7"]),
        ("ledger compare exp5 out", ["out"]),
        ("ledger explain dup", ["DUP001", "DUP002", "DUP003", "DUP004"]),
        ("ledger accept exp7 TXT00", [code for code in by_code() if code.startswith("TXT00")]),
        ("ledger verify theirs --env ", ["mt-4.57.6", "mt-5.0.0"]),
        ("ledger env build mt-5", ["mt-5.0.0"]),
        ("ledger env build other", ["other"]),
        ("ledger export exp7 --format m", ["model-card", "markdown"]),
    ],
)
def test_names_that_are_there(specs, words, names):
    assert sorted(offered(words)) == sorted(names)


@pytest.mark.parametrize("words", ["ledger run ", "ledger show "])
def test_outside_a_ledger_nothing_is_offered_or_printed(tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    assert offered(words) == []


def test_a_damaged_journal_offers_nothing(recorded):
    recorded.journal.write_bytes(b"\xff\x00 no entry\n")
    assert offered("ledger show ") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_there_is_a_script_for_each_shell(shell):
    done = subprocess.run(
        [LEDGER],
        env={**os.environ, "_LEDGER_COMPLETE": f"{shell}_source"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"{shell}_complete" in done.stdout
