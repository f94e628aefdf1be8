"""`ledger ps`: what is running, stalled or interrupted, and what has changed since it started."""

import os
import subprocess

import pytest
from filelock import FileLock

from ledger.journal.live import LiveFile
from ledger.journal.store import open_journal
from ledger.specs import load_experiment
from ledger.utils.hashing import digest_file

OLD = 1_000_000_000  # a time long before any run here


def start(workspace, experiment, **body):
    """Start a run of `experiment`; it counts as alive while the returned lock is held."""
    head = {"run": f"{experiment}-000009", "experiment": experiment, "mode": "real", **body}
    open_journal(workspace, "real").append("run.started", head)
    folder = workspace.runs / head["run"]
    folder.mkdir(parents=True)
    (folder / "pid").write_text("4242")
    lock = FileLock(folder / "lock")
    lock.acquire()
    return lock


def processes(ledger, *options):
    return {one["experiment"]: one for one in ledger("ps", *options, "--json").document["processes"]}


def test_an_interrupted_run_shows_how_to_continue(recorded, ledger):
    answer = ledger("ps")
    assert answer.code == 0
    assert "exp6-91ac02" in answer.out
    assert "resume with: ledger run exp6 --resume" in answer.out
    assert max(map(len, answer.out.splitlines())) <= 80


def test_what_was_run_again_is_not_listed(recorded, ledger):
    head = {"run": "exp6-000010", "experiment": "exp6", "mode": "real"}
    open_journal(recorded, "real").append("run.started", head)
    open_journal(recorded, "real").append("run.finished", {**head, "status": "finished", "verdict": "pass"})
    assert ledger("ps").out == "no running or interrupted runs\n"


def test_a_silent_run_has_stalled(recorded, ledger):
    with start(recorded, "exp8"):
        assert processes(ledger)["exp8"]["state"] == "running"
        assert processes(ledger)["exp8"]["pid"] == 4242
        for path in (recorded.runs / "exp8-000009").iterdir():
            os.utime(path, (OLD, OLD))
        assert processes(ledger)["exp8"]["state"] == "stalled"
        assert processes(ledger, "--stalled-after", "1e9")["exp8"]["state"] == "running"
    assert processes(ledger)["exp8"]["state"] == "interrupted"


def test_a_running_process_whose_data_changed_is_reported(recorded, ledger):
    data = recorded.root / "train.ko"
    data.write_text("가\n", encoding="utf-8")
    facts = {"path": "train.ko", "lines": 1, **digest_file(data)}
    with start(recorded, "exp8", data={"train": facts, "validation": None}):
        os.utime(data)  # touched, and the same
        assert processes(ledger)["exp8"]["changed"] == []
        data.write_text("나\n", encoding="utf-8")
        assert processes(ledger)["exp8"]["changed"] == ["train: train.ko has changed"]
        data.unlink()
        assert processes(ledger)["exp8"]["changed"] == ["train: train.ko is gone"]


def test_a_running_process_whose_code_changed_is_reported(recorded, ledger):
    def git(*arguments):
        done = subprocess.run(
            ["git", *arguments], cwd=recorded.root, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    code = recorded.root / "train.py"
    code.write_text("print(1)\n")
    git("add", "train.py")
    git("-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "x")
    commit = git("rev-parse", "HEAD")
    code.write_text("print(0)\n")  # uncommitted when the run began: that is what ran
    os.utime(code, (OLD, OLD))
    with start(recorded, "exp8", git={"commit": commit, "branch": "main", "changed": ["train.py"]}):
        assert processes(ledger)["exp8"]["changed"] == []
        code.write_text("print(2)\n")
        assert processes(ledger)["exp8"]["changed"] == ["code: train.py"]


@pytest.fixture
def spec(recorded):
    """A spec that extends a base of its own."""
    (recorded.experiments / "base.yaml").write_text("generation: {num_beams: 3}\n")
    (recorded.experiments / "exp8.yaml").write_text(
        "extends: base\ntitle: x\n"
        "model: {name: facebook/mbart-large-50-many-to-many-mmt}\n"
        "languages: {source: ko, target: ja}\ncodes: {source: ko_KR, target: ja_XX}\n"
        "data: {source: in.ko}\noutput: out.ja\n"
    )
    return load_experiment("exp8", recorded.experiments)


def test_a_running_process_with_an_old_configuration_is_reported(recorded, ledger, spec):
    with start(recorded, "exp8", spec=spec.digested(), overrides=[]):
        assert processes(ledger)["exp8"]["changed"] == []
        (recorded.experiments / "base.yaml").write_text("generation: {num_beams: 5}\n")
        assert processes(ledger)["exp8"]["changed"] == ["spec: generation.num_beams (3 -> 5)"]
        assert "changed since the start: spec: generation.num_beams (3 -> 5)" in ledger("ps").out
        (recorded.experiments / "exp8.yaml").write_text("[")
        assert "can no longer be read" in processes(ledger)["exp8"]["changed"][0]


def test_a_running_run_says_what_it_is_doing(recorded, ledger):
    with start(recorded, "exp8"):
        facts = {"stage": "training", "done": 40, "total": 90, "rate": 2.5, "detail": "loss 2.31"}
        rows = [{"verdict": "pass"}, {"verdict": "fail"}]
        LiveFile(recorded.runs / "exp8-000009").update({**facts, "checkpoints": rows}, at_once=True)
        told = "training 40/90, loss 2.31, 0:00:20 left; checkpoints: 2 verified, 1 failed"
        assert processes(ledger)["exp8"]["doing"] == told
        assert f"  {told}" in ledger("ps").out
    assert processes(ledger)["exp8"]["doing"] == ""


def test_watching_prints_what_is_new_until_it_is_interrupted(recorded, ledger, monkeypatch):
    looks = iter([None, None])

    def sleep(_):
        if next(looks, "enough") == "enough":
            raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", sleep)
    answer = ledger("ps", "--watch")
    assert answer.code == 0
    assert answer.out.count("exp6-91ac02") == 1
    assert ledger("ps", "--watch", "--json").code == 2
