"""`ledger.git` is the only place that asks git anything."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.git.client import GitError, ask, paths, run, top_of

ROOT = Path(__file__).parents[3]


def modules():
    found = (path for folder in ("ledger", "guards", "runners") for path in (ROOT / folder).rglob("*.py"))
    return [path for path in found if not path.is_relative_to(ROOT / "ledger" / "git")]


def asks_git(node):
    """Whether a node of the syntax tree imports GitPython or is a command line that begins with git."""
    match node:
        case ast.Import(names):
            return any(name.name.partition(".")[0] == "git" for name in names)
        case ast.ImportFrom(module=str(module), level=0):
            return module.partition(".")[0] == "git"
        case ast.List(elts=[ast.Constant(value="git"), *_]):
            return True
    return False


def test_nothing_else_asks_git():
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if asks_git(node)
    ]
    assert found == []


def test_asking_for_the_branch_imports_no_gitpython():
    script = (
        "import pathlib, sys; from ledger.git.branch import current_branch; "
        "current_branch(pathlib.Path.cwd()); print('git' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_an_answer_comes_back_byte_for_byte(tmp_path):
    run(tmp_path, "init", "-q")
    (tmp_path / "a b").write_bytes(b"\xff\n\n")
    (tmp_path / os.fsdecode(b"caf\xe9")).write_bytes(b"")
    run(tmp_path, "add", "-A")
    assert run(tmp_path, "show", ":a b") == b"\xff\n\n"
    assert paths(tmp_path, "ls-files", "-z") == ["a b", os.fsdecode(b"caf\xe9")]
    assert top_of(tmp_path) == tmp_path.resolve()


def test_a_failure_is_gits_own_message(tmp_path):
    with pytest.raises(GitError, match=r"^git rev-parse: not a git repository"):
        top_of(tmp_path)
    assert ask(tmp_path, "rev-parse", "HEAD") == ""


def test_without_git_the_message_says_so(tmp_path):
    script = (
        "import pathlib\nfrom ledger.git.client import GitError, run\n"
        "try: run(pathlib.Path.cwd(), 'status')\n"
        "except GitError as error: print(error.message, '|', error.hint)"
    )
    environment = {"PATH": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "git is not installed | install git, then repeat the command\n"
