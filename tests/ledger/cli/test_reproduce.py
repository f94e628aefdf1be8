"""`ledger reproduce`: real runs of tiny models, real git work trees."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from ledger.environments.lockfile import find
from runners.environments.build import built, default_cache
from runners.rehearsal import pairs, rehearsal_text
from runners.rehearsal.model import model_name
from tests.command import run_ledger
from tests.conftest import ROOT, copy_repository, make_once

pytestmark = pytest.mark.timeout(600)

SMALL = """
extends: exp5
model: {name: models/tiny, family: mbart50, dtype: float32}
data: {source: data/small.ko, reference: data/small.ja}
output: out/small.ja
generation: {batch_size: 4}
"""
MINE = "extends: exp5\ngeneration: {batch_size: 16}\n"


@pytest.fixture(scope="module")
def repo(tmp_path_factory, template_repository, shared_models):
    """A rehearsal with uncommitted changes (`mine`), and a real run of ignored data (`small`)."""

    def make(root):
        record(copy_repository(template_repository, root), shared_models)

    recorded = make_once(tmp_path_factory, "reproduce", make)
    return copy_repository(recorded, tmp_path_factory.mktemp("reproduce") / "repository")


def record(repository, shared_models):
    root = repository.root
    (root / "experiments" / "mine.yaml").write_text(MINE)
    base = root / "experiments" / "exp5.yaml"
    base.write_text(base.read_text(encoding="utf-8") + "\n# not committed\n", encoding="utf-8")
    run = repository.json("run", "mine", "--rehearse")["run"]
    environment = repository.json("show", run)["recorded"]["started"]["environment"]
    model = shared_models / model_name("mbart50", "translation", environment, pairs())
    (root / ".gitignore").write_text("/.ledger/\n/data/\n/models/\n/out/\n")
    shutil.copytree(model, root / "models" / "tiny")
    (root / "data").mkdir()
    for lines, name in zip(rehearsal_text("ko", "ja"), ("small.ko", "small.ja"), strict=True):
        (root / "data" / name).write_text("".join(f"{line}\n" for line in lines[:24]), encoding="utf-8")
    (root / "experiments" / "small.yaml").write_text(SMALL)
    repository.json("run", "small")


@pytest.fixture(autouse=True)
def nothing_left(repo):
    """Whatever happens, no work tree stays, and the repository is as it was."""
    before = status(repo)
    yield
    assert status(repo) == before
    listed = subprocess.run(
        ["git", "worktree", "list"], cwd=repo.root, capture_output=True, text=True, check=True
    )
    assert len(listed.stdout.splitlines()) == 1
    assert list(repo.root.glob(".ledger/worktrees/*")) == []
    assert repo.ledger("fsck").returncode == 0


def status(repository):
    shown = ["git", "status", "--porcelain", "--", ".", ":(exclude)experiments/ledger.jsonl"]
    return subprocess.run(shown, cwd=repository.root, capture_output=True, check=True).stdout


def entries(repository, path):
    lines = (repository.root / path).read_text(encoding="utf-8").splitlines()
    return [entry["body"] for entry in map(json.loads, lines) if entry["kind"] == "run.reproduced"]


def test_a_rehearsal_with_uncommitted_changes_comes_out_bit_identical(repo):
    (repo.root / "experiments" / "mine.yaml").write_text(MINE.replace("16", "3"))  # changed since
    try:
        done = repo.json("reproduce", "mine")
    finally:
        (repo.root / "experiments" / "mine.yaml").write_text(MINE)
    assert done["result"] == "identical"
    assert done["passed"] == ["REP001"]
    assert done["settings"] == []
    assert [one for one in done["suspects"] if one["hard"]] == []
    assert (repo.root / done["kept"] / "output.ja").is_file()
    assert entries(repo, ".ledger/rehearsals.jsonl")[0]["run"] == done["run"]

    shown = repo.json("show", "mine")
    assert [one["result"] for one in shown["reproductions"]] == ["identical"]
    assert "reproduced" in repo.ledger("show", "mine").stdout
    assert len(repo.json("log", "--experiment", "mine")["runs"]) == 1, "it is no run of its own"
    assert "reproduced" in repo.ledger("log").stdout


def test_a_difference_is_reported_with_its_place_and_the_changed_setting(repo):
    done = repo.json("reproduce", "mine", "--set", "generation.max_length=6", exits=1)
    assert done["result"] == "different"
    (finding,) = done["findings"]
    first = finding["evidence"]["first"]
    output = repo.root / ".ledger" / "runs" / done["run"] / "output.ja"
    assert output.read_text(encoding="utf-8").splitlines()[first["line"] - 1] == first["then"] != first["now"]
    assert done["settings"] == [{"field": "generation.max_length", "before": 128, "after": 6}]
    assert ("generation.max_length", 6) in {(one["name"].removeprefix("generation.generation"), one["after"])
                                            for one in done["suspects"]}  # fmt: skip
    shown = repo.ledger("show", done["run"]).stdout
    assert "different, with generation.max_length 6" in " ".join(shown.split())


def test_another_batch_size_is_reported(repo):
    done = repo.ledger("reproduce", "mine", "--set", "generation.batch_size=3")
    assert done.returncode in (0, 1)
    assert "generation.batch_size" in done.stdout
    assert "bit-identical" in done.stdout or "the first is line" in " ".join(done.stdout.split())


@pytest.mark.slow
def test_another_version_of_the_library_is_reported(repo):
    if built(find("mt-5.0.0", ROOT / "lockfiles"), default_cache()) is None:
        pytest.skip("the environment mt-5.0.0 is not built here: ledger env build mt-5.0.0")
    done = repo.ledger("reproduce", "mine", "--env", "mt-5.0.0", "--set", "generation.batch_size=3")
    assert done.returncode in (0, 1)
    said = " ".join(done.stdout.split())
    assert "transformers 4.57.6 5.0.0" in said
    assert "environment mt-4.57.6 mt-5.0.0" in said
    assert "bit-identical" in said or "the first is line" in said


def test_a_real_run_takes_its_model_and_data_from_the_repository(repo):
    output = repo.root / "out" / "small.ja"

    def written():  # without the time of access: reading the output is fine
        found = output.stat()
        return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns

    before = written()
    done = repo.json("reproduce", "small")
    assert done["result"] == "identical"
    assert written() == before, "the first run's own output was written over"
    assert entries(repo, "experiments/ledger.jsonl")[-1]["result"] == "identical"


def test_every_missing_prerequisite_is_named_before_anything_runs(repo):
    data, model = repo.root / "data" / "small.ko", repo.root / "models" / "tiny"
    run = repo.json("show", "small")["run"]
    patch = repo.root / ".ledger" / "runs" / run / "uncommitted.patch"
    kept = data.read_bytes(), patch.read_bytes()
    data.write_bytes(kept[0] + "한 줄\n".encode())
    patch.write_bytes(kept[1] + b"\n")
    model.rename(model.with_name("gone"))
    recorded = len(entries(repo, "experiments/ledger.jsonl"))
    try:
        done = repo.json("reproduce", "small", exits=3)
        told = repo.ledger("reproduce", "small")
    finally:
        data.write_bytes(kept[0])
        patch.write_bytes(kept[1])
        model.with_name("gone").rename(model)
    missing = {one["piece"]: one["reason"] for one in done["missing"]}
    assert "changed since" in missing["patch"]
    assert "no experiment small" in missing["spec"], "it stands in the patch alone"
    assert done["verdict"] == "inconclusive"
    assert done["reproduction"] is None
    assert len(entries(repo, "experiments/ledger.jsonl")) == recorded
    assert told.returncode == 3
    assert "2 prerequisites are missing" in told.stdout


def test_data_and_model_that_changed_are_both_named(repo):
    data, model = repo.root / "data" / "small.ko", repo.root / "models" / "tiny"
    kept = data.read_bytes()
    data.write_bytes(kept + "한 줄\n".encode())
    model.rename(model.with_name("gone"))
    try:
        done = repo.json("reproduce", "small", exits=3)
    finally:
        data.write_bytes(kept)
        model.with_name("gone").rename(model)
    assert {one["piece"]: one["reason"] for one in done["missing"]} == {
        "data source": "data/small.ko has changed since",
        "model": "models/tiny is gone",
    }


def test_a_missing_commit_is_named(repo, tmp_path, template_repository):
    other = copy_repository(template_repository, tmp_path / "other")
    shutil.copy(repo.root / "experiments" / "ledger.jsonl", other.root / "experiments")
    other.git("commit", "--quiet", "--amend", "--message", "another")
    other.git("reflog", "expire", "--expire=now", "--all")
    other.git("prune", "--expire=now")
    done = other.json("reproduce", "small", exits=3)
    assert [one["piece"] for one in done["missing"]] == ["commit", "patch"]


@pytest.mark.parametrize(
    ("arguments", "exits", "says"),
    [
        (["nothing"], 2, "nothing"),
        (["mine", "--set", "generation.num_beam=2"], 2, "num_beams"),
        (["mine", "--env", "mt-9"], 3, "mt-9"),
    ],
)
def test_bad_calls_are_one_message(repo, arguments, exits, says):
    done = repo.ledger("reproduce", *arguments)
    assert done.returncode == exits, done.stderr
    assert says in done.stderr + done.stdout


# --- recorded commands ------------------------------------------------------------------------------


def test_a_command_is_repeated_with_the_files_it_had(repo):
    (repo.root / "note.txt").write_text("not committed\n")
    (repo.root / "scripts").mkdir()
    (repo.root / "scripts" / "keep").touch()
    script = 'test "$(cat ../note.txt)" = "not committed" && pwd'
    try:
        done = run_ledger("run", "read", "--", "sh", "-c", script, cwd=repo.root / "scripts")
        assert done.returncode == 0, done.stderr
    finally:
        shutil.rmtree(repo.root / "scripts")
        (repo.root / "note.txt").unlink()
    done = repo.ledger("reproduce", "read")
    assert done.returncode == 0, done.stderr + done.stdout
    said = " ".join(done.stdout.split())
    assert "exit code 0" in said
    assert "what a command writes is not recorded" in said


def test_what_a_command_read_and_git_ignores_is_linked_in_or_named(repo):
    (repo.root / "data" / "mine.txt").write_text("first\n")
    script = "assert open('data/mine.txt').read() == 'first\\n'"
    repo.ledger("run", "needs", "--", "test", "-e", "data/small.ko")
    repo.ledger("run", "reads", "--", sys.executable, "-c", f"import pathlib; {script}")
    for name in ("needs", "reads"):
        assert repo.json("reproduce", name)["verdict"] == "pass"
    recorded = repo.json("show", "reads")["recorded"]["finished"]["reads"]
    assert [one["path"] for one in recorded] == ["data/mine.txt"]
    (repo.root / "data" / "mine.txt").write_text("second\n")
    done = repo.json("reproduce", "reads", exits=3)
    assert done["verdict"] == "inconclusive"
    assert done["missing"] == [{"piece": "file data/mine.txt", "reason": "data/mine.txt has changed since"}]


def test_a_command_with_a_hidden_part_cannot_be_repeated(repo):
    repo.ledger("run", "secret", "--", "true", "--api-key", "hunter2hunter2")
    done = repo.json("reproduce", "secret", exits=3)
    assert [one["piece"] for one in done["missing"]] == ["command"]


def test_the_next_call_removes_the_work_tree_of_a_killed_one(repo):
    go = repo.root / "data" / "go"
    go.touch()
    repo.ledger("run", "wait", "--", "sh", "-c", "test -e data/g* || { touch waiting; sleep 30; }")
    go.unlink()
    process = repo.start("reproduce", "wait", start_new_session=True)
    while not list((repo.root / ".ledger" / "worktrees").glob("wait-*/waiting")):
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert list((repo.root / ".ledger" / "worktrees").glob("wait-*/waiting"))
    repo.ledger("run", "quick", "--", "true")
    assert repo.json("reproduce", "quick")["result"] == "identical"
