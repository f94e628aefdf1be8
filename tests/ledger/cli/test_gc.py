"""`ledger gc` on real folders, a real journal and a real git repository."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from ledger.checkpoints.folders import digest_files
from ledger.checkpoints.marks import Mark, write_mark
from ledger.journal.store import open_journal

EMPTY = {"findings": [], "skips": [], "passed": []}
FAILED = {**EMPTY, "findings": [{"code": "CKP003", "severity": "error", "message": "m", "evidence": {}}]}


@pytest.fixture
def training(recorded):
    """A folder with 30 checkpoints: each third verified, each third failed, the others unverified."""
    folder = recorded.root / "out" / "exp10"
    log = [{"step": step, "eval_bleu": 40 - step / 100, "loss": 1.0} for step in range(100, 3100, 100)]
    for step in range(100, 3100, 100):
        checkpoint = folder / f"checkpoint-{step}"
        checkpoint.mkdir(parents=True)
        (checkpoint / "model.safetensors").write_bytes(bytes(50) + str(step).encode())
        (checkpoint / "optimizer.pt").write_bytes(bytes(100))
        rows = [row for row in log if row["step"] <= step]
        state = {"global_step": step, "log_history": rows, "best_metric": 39.0}
        (checkpoint / "trainer_state.json").write_text(json.dumps(state))
        if step % 300 == 0:
            write_mark(checkpoint, Mark(digest_files(checkpoint), "pass", "2026-11-28T00:00:00Z"))
        elif step % 300 == 100:
            verified(recorded, f"out/exp10/checkpoint-{step}", "fail", FAILED)
    return folder


def verified(workspace, checkpoint, verdict, report, run=None):
    body = {"checkpoint": checkpoint, "verdict": verdict, "report": report, "run": run, "files": checkpoint}
    open_journal(workspace, "real").append("checkpoint.verified", body)


def left(folder):
    return sorted(int(path.name.partition("-")[2]) for path in folder.glob("checkpoint-*"))


def deleted(workspace):
    return [e.body for e in open_journal(workspace, "real").entries() if e.kind == "checkpoint.deleted"]


def test_without_delete_nothing_changes(training, recorded, ledger):
    answer = ledger("gc", "out/exp10")
    assert answer.code == 0
    assert "to delete: 28 checkpoints" in answer.out
    assert len(left(training)) == 30
    assert deleted(recorded) == []


def test_exactly_the_right_ones_go_and_each_is_recorded(training, recorded, ledger):
    (training / "best").symlink_to("checkpoint-500")
    ledger("note", "exp5", "start the next one from checkpoint-1600", "--json")
    (recorded.experiments / "next.yaml").write_text("model: {name: out/exp10/checkpoint-200}\n")
    (training / "checkpoint-800" / "README.md").write_text("kept in git")
    subprocess.run(
        ["git", "add", "-f", str(training / "checkpoint-800/README.md")], cwd=recorded.root, check=True
    )
    answer = ledger("gc", "out/exp10", "--keep-last", "2", "--metric", "eval_bleu", "--delete", "--json")
    assert answer.code == 0
    assert left(training) == [200, 300, 500, 800, 1600, 2700, 3000]
    rows = {row["step"]: row for row in answer.document["checkpoints"]}
    assert rows[300]["reason"] == "best verified"
    assert rows[100]["reason"] == "failed"
    assert rows[600]["reason"] == "superseded"
    assert rows[2900]["reason"] == "unverified"
    assert {body["checkpoint"] for body in deleted(recorded)} == {
        row["checkpoint"] for row in rows.values() if not row["keep"]
    }
    assert all(body["who"] and body["bytes"] > 150 for body in deleted(recorded))
    assert ledger("fsck").code == 0


def test_the_metric_of_the_trainer_is_used_by_itself(training, ledger):
    rows = ledger("gc", "out/exp10", "--json").document["checkpoints"]
    assert [row["step"] for row in rows if "best verified" in row["reason"]] == [300]


def test_a_changed_checkpoint_does_not_count_as_verified(training, ledger):
    (training / "checkpoint-3000" / "model.safetensors").write_bytes(b"other")
    rows = ledger("gc", "out/exp10", "--json").document["checkpoints"]
    assert [row["step"] for row in rows if "newest" in row["reason"]] == [2700]


def test_an_interrupted_deletion_is_recorded_and_finished(training, recorded, ledger):
    """Killed after the rename: the entry is missing. Killed after the entry: files are left."""
    (training / "checkpoint-100").rename(training / ".deleted-checkpoint-100")
    open_journal(recorded, "real").append(
        "checkpoint.deleted", {"checkpoint": "out/exp10/checkpoint-200", "why": "unverified", "who": "me"}
    )
    (training / "checkpoint-200").rename(training / ".deleted-checkpoint-200")
    assert "2 interrupted deletions" in ledger("gc", "out/exp10").out
    assert ledger("gc", "out/exp10", "--delete").code == 0
    assert not list(training.glob(".deleted-*"))
    recorded_once = [body["checkpoint"] for body in deleted(recorded)]
    assert sorted(recorded_once) == sorted(set(recorded_once))
    assert "out/exp10/checkpoint-100" in recorded_once


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["out"], "has no checkpoint-"),
        (["none"], "does not exist"),
        (["out/exp10", "--metric", "eval_T005"], "better high or low"),
    ],
)
def test_bad_calls_are_one_message(training, ledger, arguments, message):
    answer = ledger("gc", *arguments)
    assert answer.code == 2
    assert message in answer.err


def test_nothing_recorded_is_nothing_to_do(recorded, ledger):
    answer = ledger("gc")
    assert answer.code == 0
    assert "no checkpoints" in answer.out


def test_a_link_out_of_the_folder_is_never_followed(training, recorded, ledger, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(training / "checkpoint-100", elsewhere)
    shutil.rmtree(training / "checkpoint-400")
    (training / "checkpoint-400").symlink_to(elsewhere)
    assert ledger("gc", "out/exp10", "--delete").code == 0
    assert (training / "checkpoint-400").is_symlink()
    assert Path(elsewhere / "model.safetensors").exists()
