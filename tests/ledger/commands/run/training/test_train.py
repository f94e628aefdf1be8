"""`ledger run` for a training, from end to end: a tiny Marian from scratch, each save reloaded beside it."""

import json
from pathlib import Path

import pytest

from ledger.checkpoints.marks import newest_verified
from tests.shared_worker import RELOADING, TRAINING, shared

pytestmark = pytest.mark.timeout(400)


def checkpoints_of(repository, run) -> Path:
    return repository.root / ".ledger" / "runs" / run / "checkpoints"


def entries(repository, kind):
    path = repository.root / ".ledger" / "rehearsals.jsonl"
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [entry["body"] for entry in found if entry["kind"] == kind]


def no_unearned_mark(repository):
    """Every checkpoint that bears a mark has a passing entry in the journal."""
    passed = {
        body["checkpoint"] for body in entries(repository, "checkpoint.verified") if body["verdict"] == "pass"
    }
    for mark in repository.root.glob(".ledger/runs/*/checkpoints/checkpoint-*/ledger/verified.json"):
        assert str(mark.parents[1].relative_to(repository.root)) in passed
    assert repository.ledger("fsck").returncode == 0


def comes_again_step_by_step(repository, run):
    """`ledger reproduce` of a training that is here already: another one takes a minute."""
    assert run["series"]["steps"] == 45, "one of two steps is logged"
    assert all(row["tensors"].startswith("sha256:") for row in run["checkpoints"])
    again = repository.ledger("reproduce", run["run"])
    assert again.returncode == 0, again.stdout + again.stderr
    assert "45 losses and 3 checkpoints" in " ".join(again.stdout.split())


def reloads_in_an_interpreter_of_their_own(interpreters, repository, checkpoint):
    """No reload shares a process with the training, and a later `verify` shares none with either."""
    (training,) = interpreters["train"]
    meanwhile = set(interpreters["probe_checkpoint"])
    assert meanwhile
    assert training not in meanwhile
    assert repository.ledger("verify", str(checkpoint)).returncode == 0
    later = set(interpreters["probe_checkpoint"]) - meanwhile
    assert len(later) == 1
    assert training not in later


@pytest.mark.own_worker
def test_every_save_is_verified_while_it_trains(repository, interpreters, worker_pool):
    with shared(worker_pool, (TRAINING,)):
        done = repository.json("run", "exp10", "--rehearse")
    assert done["verdict"] == "pass"
    rows = done["checkpoints"]
    assert [row["step"] for row in rows] == [30, 60, 90]
    assert all(row["marked"] and row["memory"] == row["reloaded"] for row in rows)
    assert rows[0]["reloaded"] < rows[-1]["reloaded"] > 60
    assert done["last_step"] == 90
    assert done["effective"]["training"]["logging_nan_inf_filter"] is False
    assert "ko-mecab" in done["metrics"]["sample_bleu"]["signature"]
    folder = checkpoints_of(repository, done["run"])
    assert newest_verified(folder) == folder / "checkpoint-90"
    assert len(entries(repository, "checkpoint.verified")) == 3
    assert not (repository.root / ".ledger" / "runs" / done["run"] / "snapshots").exists()
    series = (repository.root / ".ledger" / "runs" / done["run"] / "series.jsonl").read_text()
    assert '"sample_bleu_reloaded"' in series
    no_unearned_mark(repository)
    reloads_in_an_interpreter_of_their_own(interpreters, repository, folder / "checkpoint-90")
    with shared(worker_pool, (TRAINING, RELOADING)):
        comes_again_step_by_step(repository, done)
