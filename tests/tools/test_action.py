"""action.yml and .pre-commit-hooks.yaml do what they say: their steps run, in a scratch repository."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from junitparser import JUnitXml
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
ACTION = YAML(typ="safe").load((ROOT / "action.yml").read_text(encoding="utf-8"))
BIN = Path(sys.executable).parent
# GitHub's own way to call `shell: bash`.
BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")


def value_of(expression, inputs, action_path, base_ref):
    """The few expressions that action.yml uses."""
    if match := re.fullmatch(r"inputs\.(\w+) == '(\w+)'", expression):
        return inputs[match[1]] == match[2]
    known = {"github.action_path": str(action_path), "github.base_ref": base_ref}
    return known.get(expression, inputs.get(expression.removeprefix("inputs.")))


def run_action(folder, given, environment=(), *, action_path=ROOT, base_ref=""):
    """Run each step's script, inputs substituted as on GitHub; return the last exit code and all output."""

    def fill(text):
        return EXPRESSION.sub(lambda found: str(value_of(found[1], inputs, action_path, base_ref)), str(text))

    inputs: dict[str, str] = {}
    inputs |= {name: fill(given.get(name, facts["default"])) for name, facts in ACTION["inputs"].items()}
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    said, code = "", 0
    for step in ACTION["runs"]["steps"]:
        if "if" in step and fill(step["if"]) != "True":
            continue
        own = {name: fill(value) for name, value in step.get("env", {}).items()}
        assert not EXPRESSION.search(step["run"]), "an input may not become text of the script"
        done = subprocess.run(
            [*BASH, step["run"]],
            cwd=folder,
            env={**os.environ, "PATH": path, "LEDGER_SEND": "never", **dict(environment), **own},
            capture_output=True,
            text=True,
            check=False,
        )
        said, code = said + done.stdout + done.stderr, done.returncode
        if code:
            break
    return code, said


@pytest.fixture
def branch(repository):
    """A branch without changes."""
    repository.git("checkout", "-qb", "feature")
    return repository


def test_it_is_a_composite_action_whose_inputs_are_documented():
    assert ACTION["runs"]["using"] == "composite"
    documented = (ROOT / "docs" / "gate.md").read_text(encoding="utf-8")
    for name, facts in ACTION["inputs"].items():
        assert facts["description"]
        assert f"| `{name}` |" in documented


def test_its_gate_passes_and_fails_and_writes_for_the_job(branch, tmp_path):
    job = tmp_path / "summary.md"
    environment = {"GITHUB_STEP_SUMMARY": str(job)}
    code, said = run_action(branch.root, {"install": "false"}, environment, base_ref="main")
    assert code == 0, said
    assert "PASS  against main" in said
    assert "## ledger gate: pass" in job.read_text(encoding="utf-8")
    assert next(iter(JUnitXml.fromfile(str(branch.root / "ledger-gate.xml")))).tests == 7

    (branch.root / "experiments" / "more.yaml").write_text("extends: exp5\nseed: 7\n")
    given = {"install": "false", "base": "main", "junit": "out of the way.xml"}
    code, said = run_action(branch.root, given, environment)
    assert code == 1, said
    assert "GAT001" in job.read_text(encoding="utf-8")
    assert next(iter(JUnitXml.fromfile(str(branch.root / "out of the way.xml")))).failures == 1


def test_what_a_pull_request_names_is_never_run(branch):
    code, said = run_action(branch.root, {"install": "false", "base": "$(touch made); `touch made`"})
    assert code == 2, said
    assert not (branch.root / "made").exists()


def test_it_rehearses_where_asked(branch):
    (branch.root / "experiments" / "more.yaml").write_text("extends: exp5\nseed: 7\n")
    given = {"install": "false", "base": "main", "rehearse": "true"}
    code, said = run_action(branch.root, given)
    assert code == 0, said
    assert "passed a rehearsal made just now" in " ".join(said.split())


def test_its_install_step_installs_this_project(branch, tmp_path):
    """Into a separate folder, offline: its dependencies are installed already."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    copy, target = tmp_path / "action", tmp_path / "installed"
    packaged = ("pyproject.toml", "README.md", "LICENSE")
    for name in filter(None, listed.stdout.split("\0")):
        if name.startswith(("ledger/", "guards/", "runners/", "lockfiles/")) or name in packaged:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name, follow_symlinks=False)
    offline = {
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_NO_INDEX": "1",
        "PIP_TARGET": str(target),
    }
    code, said = run_action(branch.root, {"base": "main"}, offline, action_path=copy)
    assert code == 0, said
    assert (target / "bin" / "ledger").exists()
    assert (target / "ledger" / "commands" / "gate" / "gate.py").exists()


@pytest.fixture
def hooks(tmp_path):
    """A repository with the file of hooks, as pre-commit clones it."""
    folder = tmp_path / "hooks"
    folder.mkdir()
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", folder)
    for command in (["init", "-q"], ["add", "--all"], ["commit", "-qm", "hooks"]):
        identity = ["-c", "user.name=Ana", "-c", "user.email=ana@example.org"]
        subprocess.run(["git", *identity, *command], cwd=folder, check=True)
    return folder


def try_hook(repository, hooks, name, tmp_path):
    """Run `pre-commit try-repo`, as a user tries a hook; return the exit code and the output."""
    environment = {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "PRE_COMMIT_HOME": str(tmp_path / "cache"),
        "LEDGER_SEND": "never",
    }
    stage = ["--hook-stage", "manual"] if name == "ledger-gate" else []
    done = subprocess.run(
        [str(BIN / "pre-commit"), "try-repo", str(hooks), name, "--all-files", *stage],
        cwd=repository.root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_hooks_pass_and_fail_under_pre_commit(branch, hooks, tmp_path):
    assert branch.ledger("run", "note", "--", "true").returncode == 0
    branch.git("add", "--all")
    branch.git("commit", "-qm", "a command")
    for name in ("ledger-fsck", "ledger-gate"):
        code, said = try_hook(branch, hooks, name, tmp_path)
        assert code == 0, said
        assert "Passed" in said

    journal = branch.root / "experiments" / "ledger.jsonl"
    journal.write_text(journal.read_text().replace('"note"', '"none"'))
    branch.git("commit", "-qam", "tidy")
    for name, found in (("ledger-fsck", "JRN001"), ("ledger-gate", "JRN001")):
        code, said = try_hook(branch, hooks, name, tmp_path)
        assert code == 1, said
        assert found in said
