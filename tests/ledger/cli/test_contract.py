"""What holds for every command: one JSON document, the contract's exit codes, a quick start."""

import errno
import json
import shutil
import subprocess
import sys

import pytest

from ledger.cli.main import COMMANDS
from tests.conftest import copy_repository

# Each command, as called in a repository where `ledger run -- true` was recorded.
CALLS = {
    "init": ["init"],
    "run": ["run", "--", "sh", "-c", "echo this is not the document"],
    "verify": ["verify", "checkpoint"],
    "check": ["check", "out.ja", "--lang", "ja"],
    "compare": ["compare", "out.ja", "log.md", "--lang", "ja"],
    "diff-env": ["diff-env", "current", "current"],
    "reproduce": ["reproduce", "no-such-run"],
    "gate": ["gate", "--base", "HEAD"],
    "log": ["log"],
    "show": ["show", "true"],
    "ps": ["ps"],
    "note": ["note", "true", "it did nothing"],
    "skip": ["skip", "exp2", "--why", "batch size changes speed, not text"],
    "rate": ["rate", "true"],
    "accept": ["accept", "true", "TXT001", "--why", "it has none"],
    "explain": ["explain", "TXT001"],
    "fsck": ["fsck"],
    "env": ["env", "show"],
    "gc": ["gc"],
    "import": ["import", "log.md"],
    "report": ["report"],
    "export": ["export", "true", "--format", "markdown"],
    "sync": ["sync"],
    "ui": ["ui", "--host", "no-such-host.invalid"],
}
# Here: no such checkpoint, run, output, finding, host.
SAYS_NO_DOCUMENT = {"verify", "reproduce", "rate", "accept", "ui"}


@pytest.fixture(scope="module")
def recorded_once(template_repository, migrated_database, tmp_path_factory):
    repository = copy_repository(template_repository, tmp_path_factory.mktemp("contract"))
    assert repository.ledger("run", "--", "true").returncode == 0
    (repository.root / "log.md").write_text("## Experiment 1\n- BLEU: 27.4\n", encoding="utf-8")
    (repository.root / "out.ja").write_text("それはそうだった。\n", encoding="utf-8")
    shutil.copy(migrated_database, repository.root / ".ledger" / "mlflow.db")
    return repository.root


@pytest.fixture
def recorded(recorded_once, tmp_path):
    return copy_repository(recorded_once, tmp_path / "repository")


def test_the_table_of_calls_is_complete():
    assert CALLS.keys() == COMMANDS.keys()


@pytest.mark.parametrize("name", CALLS)
def test_json_is_one_document_and_nothing_else_on_stdout(recorded, name):
    """By the installed command, as a process of its own; most other tests call it in theirs."""
    command, separator, rest = CALLS[name][0], "--" in CALLS[name], CALLS[name][1:]
    arguments = [command, "--json", *rest] if separator else [command, *rest, "--json"]
    done = recorded.process(*arguments)
    if name in SAYS_NO_DOCUMENT:
        assert done.returncode in (2, 3)
        assert done.stdout == ""
        assert done.stderr
    else:
        assert done.returncode == 0, done.stderr
        assert isinstance(json.loads(done.stdout), dict)


@pytest.mark.parametrize("name", CALLS)
def test_an_unknown_option_is_usage(repository, name):
    done = repository.ledger(name, "--no-such-option")
    assert done.returncode == 2
    assert "--no-such-option" in done.stderr


def test_help_imports_nothing_heavy():
    code = (
        "import sys\n"
        "sys.argv = ['ledger', '--help']\n"
        "from ledger.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'transformers', 'mlflow', 'git', 'pydantic', 'rich', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_outside_a_repository_the_error_names_the_next_step(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "ledger", "log"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "ledger init" in done.stderr


def test_a_file_system_without_locks_is_named(capsys):

    from ledger.cli.boundary import _os_error

    assert _os_error(OSError(errno.ENOLCK, "No locks available")) == 3
    assert "cannot lock files: No locks available\n  put the repository on" in capsys.readouterr().err


def test_a_read_only_file_system_is_named_with_the_way_out(capsys):
    from ledger.cli.boundary import _os_error

    assert _os_error(OSError(errno.EROFS, "Read-only file system", "/repo/.ledger/ledger.lock")) == 3
    message = capsys.readouterr().err
    assert "/repo/.ledger/ledger.lock" in message
    assert "mount it for writing" in message
