"""`ledger init` on real repositories."""

import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.command import run_ledger


def ledger(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return run_ledger(*arguments, cwd=cwd)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(tmp_path)], check=True)
    return tmp_path


def test_a_repository_becomes_ready(repository: Path) -> None:
    done = ledger("init", cwd=repository)
    assert done.returncode == 0, done.stderr
    assert "experiments/ledger.jsonl merge=union -text" in (repository / ".gitattributes").read_text()
    assert "/.ledger/" in (repository / ".gitignore").read_text()
    assert "ledger" in tomllib.loads((repository / "pyproject.toml").read_text())["tool"]
    assert (repository / "lockfiles/mt-4.57.6-cpu.txt").is_file()
    assert ledger("log", cwd=repository).returncode == 0


def test_existing_files_stay(repository: Path) -> None:
    (repository / ".gitignore").write_text("*.o")
    (repository / "pyproject.toml").write_text('[project]\nname = "mine"\n')
    ledger("init", cwd=repository)
    first = {path.name: path.read_text() for path in repository.iterdir() if path.is_file()}
    assert first[".gitignore"].splitlines() == ["*.o", "/.ledger/", "/outputs/"]
    assert tomllib.loads(first["pyproject.toml"])["project"] == {"name": "mine"}
    ledger("init", cwd=repository)
    assert {path.name: path.read_text() for path in repository.iterdir() if path.is_file()} == first


def test_from_a_folder_inside(repository: Path) -> None:
    inside = repository / "src" / "deep"
    inside.mkdir(parents=True)
    done = ledger("init", cwd=inside)
    assert done.returncode == 0
    assert done.stdout.startswith(f"in {repository}:")
    assert (repository / "experiments").is_dir()


@pytest.mark.parametrize(
    ("make", "message", "code"),
    [
        (lambda root: None, "not in a git repository", 2),
        (lambda root: (root / "pyproject.toml").write_text("[tool"), "not valid TOML", 2),
        (lambda root: (root / ".gitignore").mkdir(), "Is a directory", 3),
        (lambda root: (root / ".gitignore").write_bytes("무시\n".encode("cp949")), "not UTF-8", 3),
    ],
)
def test_bad_input_is_one_message(tmp_path: Path, make, message: str, code: int) -> None:
    if "not in a git" not in message:
        subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    make(tmp_path)
    done = ledger("init", cwd=tmp_path)
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "experiments").exists(), "nothing is half done"
