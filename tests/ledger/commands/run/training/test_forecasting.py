"""`ledger run` for a forecasting, from end to end: Lightning trains, each save is reloaded beside it."""

import csv
import io
import json
import os
import signal
import time

import pytest
from dockerfile_parse import DockerfileParser

from runners.rehearsal.forecasting import made_series

pytestmark = pytest.mark.timeout(400)

FRAMES = ["M1", "M5", "M15", "M30", "H1", "H4"]
SMALL = {
    "model.name": "null",
    "model.config.d_model": 32,
    "model.config.d_kv": 8,
    "model.config.d_ff": 48,
    "model.config.num_layers": 2,
    "model.config.num_heads": 4,
    "data.window": 16,
    "training.batch_size": 16,
    "training.epochs": 3,
    "training.warmup_epochs": 1,
    "training.log_every_n_steps": 1,
    "device": "cpu",
}


def settings(**more):
    return [f"--set={key}={value}" for key, value in {**SMALL, **more}.items()]


def wait_for(found, seconds=200):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if result := found():
            return result
        time.sleep(0.1)
    raise AssertionError("it did not come to that")


def write_series(repository):
    folder = repository.root / "data" / "series"
    folder.mkdir(parents=True)
    for frame, values in made_series(FRAMES, 1).items():
        with (folder / f"{frame}.csv").open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["time", "return"])
            rows.writerows(enumerate(values[:160]))


@pytest.mark.parametrize(("name", "flagged"), [("t5-v57", True), ("t5-v58", False)])
def test_the_schedule_is_judged_before_the_data_are_there(repository, name, flagged):
    done = repository.ledger("run", name)
    assert done.returncode == 3
    assert f"{name} reads data/series/M1.csv (data.series.M1), which does not exist" in done.stderr
    told = " ".join(done.stderr.split())
    assert ("TRN007 warning data grew 5 times since t5-v56 (970 batches per epoch" in told) is flagged
    assert not list(repository.root.glob(".ledger/runs/*"))


def test_a_rehearsal_from_its_lint_to_its_dockerfile(repository):
    """One rehearsal for all that takes one: it is the dearest thing here."""
    running = repository.start("run", "t5-v57", "--rehearse", start_new_session=True)
    (process,) = wait_for(lambda: repository.json("ps")["processes"])
    assert (process["experiment"], process["changed"]) == ("t5-v57", [])
    base = repository.root / "experiments" / "base" / "shared_base.yaml"
    base.write_text(base.read_text(encoding="utf-8").replace("lr: 2.0e-5", "lr: 3.0e-5"), encoding="utf-8")
    (process,) = repository.json("ps")["processes"]
    assert process["changed"] == ["spec: training.optimizer.lr (2e-05 -> 3e-05)"]
    repository.git("checkout", "--", "experiments")

    wait_for(lambda: list(repository.root.glob(".ledger/runs/*/checkpoints/*/ledger/verified.json")))
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    done = repository.json("run", "t5-v57", "--rehearse", "--resume")
    assert (done["verdict"], done["last_step"]) == ("pass", 240)
    resumed = int(done["resumed_from"].rpartition("-")[2])
    assert resumed % 60 == 0
    (grown,) = (one for one in done["findings"] if one["code"] == "TRN007")
    assert grown["measured"] == pytest.approx(5.0)
    rows = [(row["step"], row["verdict"], row["marked"]) for row in done["checkpoints"]]
    assert rows == [(step, "pass", True) for step in range(resumed + 60, 241, 60)]
    assert [one["name"] for one in done["family"]["members"]] == FRAMES
    assert done["metrics"]["correlation"]["value"] > 0.5

    exported = repository.ledger("export", done["run"], "--format", "docker")
    assert exported.returncode == 0, exported.stderr
    parser = DockerfileParser(fileobj=io.BytesIO(exported.stdout.encode()))
    steps = [(one["instruction"], one["value"]) for one in parser.structure]
    assert ("RUN", "ledger env build t5-lightning") in steps
    assert steps[-1] == ("CMD", '["ledger", "run", "t5-v57", "--rehearse", "--again"]')


def test_a_real_run_is_held_against_its_parents(repository):
    write_series(repository)
    first = repository.json("run", "t5-v56", *settings(**{"development.limit_train_batches": 4}))
    assert (first["verdict"], first["last_step"]) == ("pass", 12)
    assert "parent" not in first["family"]
    saves = [row["path"] for row in first["checkpoints"] if (repository.root / row["path"]).is_dir()]
    assert saves == [f"models/t5-v56/{first['run']}/checkpoint-{step}" for step in (8, 12)]

    done = repository.ledger("run", "t5-v57", *settings(**{"development.limit_train_batches": 20}))
    assert done.returncode == 0, done.stderr
    assert f"data grew 5 times since {first['run']}" in " ".join(done.stdout.split())
    journal = (repository.root / "experiments" / "ledger.jsonl").read_text(encoding="utf-8")
    finished = [json.loads(line)["body"] for line in journal.splitlines() if '"run.finished"' in line][-1]
    against = finished["family"]["parent"]
    assert (against["run"], against["of"]) == (first["run"], 6)
    assert f"{against['improved']} of 6 improved on {first['run']}" in done.stdout
    codes = {one["code"] for one in finished["report"]["findings"]}
    assert ("TRN009" in codes) is (against["improved"] < 3)
