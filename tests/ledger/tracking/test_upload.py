"""What MLflow holds after a run was sent: read back with its own client, from real SQLite."""

import json
import math
import sqlite3
from pathlib import Path

import pytest

from ledger.tracking.destination import find_destination
from ledger.tracking.events import Artifact, Dataset, Finish, MetricPoint, Params, Start
from ledger.tracking.spool import Sent, Spool
from ledger.tracking.status import spool_folder


@pytest.fixture
def send(root, client):
    """Send everything in the spool from this process; returns what was lost, by run."""
    from ledger.tracking.upload import RunUpload

    def send():
        lost = {}
        for file in Spool(spool_folder(root)).files():
            upload = RunUpload(client, find_destination(root, {}), file)
            upload.send(lambda step: None)
            lost[file.run] = upload.sent.lost
        return lost

    return send


@pytest.fixture
def runs(client):
    """Every MLflow run, by the ledger's run id."""

    def runs():
        experiments = [experiment.experiment_id for experiment in client.search_experiments()]
        found = client.search_runs(experiments)
        assert len({run.data.tags["ledger.run"] for run in found}) == len(found), "a run was created twice"
        return {run.data.tags["ledger.run"]: run for run in found}

    return runs


def test_everything_of_a_run_is_read_back(root, queue, send, runs, client, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", find_destination(root, {}).uri)  # load_table reads it
    output = queue()
    assert send() == {"exp7-3fa91c": ()}
    run = runs()["exp7-3fa91c"]
    assert client.get_experiment(run.info.experiment_id).name == "exp7"
    assert (run.info.run_name, run.info.status) == ("exp7-3fa91c", "FINISHED")
    assert run.data.params["generation.num_beams"] == "5"
    assert run.data.params["effective.generation.max_length"] == "128"
    assert run.data.metrics == {"bleu": 25.3, "guard.TXT001": 0.12, "seconds": 61.5, "output_lines": 2.0}
    expected = {
        "ledger.entry": "sha256:e2",
        "ledger.verdict": "fail",
        "ledger.git_commit": "0123abc",
        "ledger.git_dirty": "true",
        "ledger.rehearsal": "false",
    }
    assert expected.items() <= run.data.tags.items()
    fetched = client.download_artifacts(run.info.run_id, output.name, str(tmp_path))
    assert Path(fetched).read_text(encoding="utf-8") == output.read_text(encoding="utf-8")
    table = client.load_table(run.info.experiment_id, "samples.json", [run.info.run_id])
    assert table[["line", "source", "output"]].values.tolist() == [[2, "둘째 줄.", "二行目。"]]
    digests = {entry.dataset.name: entry.dataset.digest for entry in run.inputs.dataset_inputs}
    assert digests == {"dev.ko": "md5:" + "a" * 32, "dev.ja": "md5:" + "c" * 32}
    tags = {tag.key: tag.value for entry in run.inputs.dataset_inputs for tag in entry.tags}
    assert {"ledger.sha256", "mlflow.data.context"} <= tags.keys()


def test_a_rehearsal_keeps_to_an_experiment_of_its_own(queue, send, runs, client):
    queue("exp7-aaaaaa", mode="rehearsal")
    queue("exp7-bbbbbb")
    send()
    names = {run: client.get_experiment(found.info.experiment_id).name for run, found in runs().items()}
    assert names == {"exp7-aaaaaa": "exp7 (rehearsal)", "exp7-bbbbbb": "exp7"}
    assert runs()["exp7-aaaaaa"].data.tags["ledger.rehearsal"] == "true"


@pytest.mark.parametrize("offset_lost", ["all of it", "half of it"])
def test_sending_twice_adds_nothing(root, queue, send, runs, client, offset_lost):
    """As after a crash between sending and remembering: the state says less than what MLflow has."""
    queue()
    send()
    before = _everything(client, runs()["exp7-3fa91c"])
    (file,) = Spool(spool_folder(root)).files()
    if offset_lost == "all of it":
        (spool_folder(root) / "exp7-3fa91c.sent.json").unlink()
    else:
        half = list(file.lines())[5].end
        state = json.loads((spool_folder(root) / "exp7-3fa91c.sent.json").read_text())
        (spool_folder(root) / "exp7-3fa91c.sent.json").write_text(json.dumps({**state, "offset": half}))
    assert send() == {"exp7-3fa91c": ()}
    assert _everything(client, runs()["exp7-3fa91c"]) == before


def test_series_keep_their_steps_times_and_odd_values(root, send, runs, client):
    writer = Spool(spool_folder(root)).writer("exp7-1")
    points = [MetricPoint("loss", 1 / (step + 1), 1000 + step, step) for step in range(2500)]
    odd = [MetricPoint("odd", float("nan"), 1, 1), MetricPoint("odd", float("inf"), 2, 2)]
    writer.append(Start("exp7", "real", 1), *points, *odd, Finish("finished", 9))
    send()
    run = runs()["exp7-1"].info.run_id
    history = sorted(client.get_metric_history(run, "loss"), key=lambda point: point.step)
    assert [(p.step, p.timestamp, p.value) for p in history] == [(p.step, p.time, p.value) for p in points]
    first, second = sorted(client.get_metric_history(run, "odd"), key=lambda point: point.step)
    assert math.isnan(first.value)
    assert second.value > 1e308


def test_more_params_than_a_batch_takes_and_longer_than_one_may_be(root, send, runs):
    values = {f"p{number}": str(number) for number in range(250)} | {"long": "x" * 7000, "chrf++": "1"}
    Spool(spool_folder(root)).writer("exp7-1").append(Start("exp7", "real", 1), Params(values))
    assert send() == {"exp7-1": ()}
    params = runs()["exp7-1"].data.params
    assert len(params) == 252
    assert params["chrf__"] == "1"
    assert params["long"].endswith("[cut: 7000 characters]")


def test_a_resumed_run_goes_on_in_the_same_mlflow_run(root, queue, send, runs):
    writer = Spool(spool_folder(root)).writer("exp7-1")
    writer.append(Start("exp7", "real", 1), Params({"a": "1"}), Finish("failed", 2))
    send()
    assert runs()["exp7-1"].info.status == "FAILED"
    writer.append(Start("exp7", "real", 3), Params({"a": "2", "b": "3"}), Finish("finished", 4))
    (lost,) = send()["exp7-1"]
    run = runs()["exp7-1"]
    assert (run.info.status, run.info.start_time, run.info.end_time) == ("FINISHED", 1, 4)
    assert run.data.params == {"a": "1", "b": "3"}
    assert lost == "param a stays '1', though later it was '2'"
    assert run.data.tags["ledger.incomplete"] == lost


@pytest.mark.parametrize("damage", ["middle", "start", "torn"])
def test_a_damaged_line_costs_only_itself_and_is_told(root, queue, send, runs, damage):
    queue()
    (file,) = Spool(spool_folder(root)).files()
    lines = file.path.read_bytes().splitlines(keepends=True)
    number = {"middle": 3, "start": 0, "torn": len(lines) - 1}[damage]
    cut = lines[number][: len(lines[number]) // 2]
    lines[number] = cut if damage == "torn" else cut + b"\n"
    file.path.write_bytes(b"".join(lines))
    what = (
        "line {} of the spool file, its last, is torn"
        if damage == "torn"
        else "line {} of the spool file is damaged"
    )
    assert send() == {"exp7-3fa91c": (what.format(number + 1),)}
    run = runs()["exp7-3fa91c"]
    assert run.data.metrics["bleu"] == 25.3
    assert run.data.tags["ledger.incomplete"] == what.format(number + 1)
    assert run.info.status == ("RUNNING" if damage == "torn" else "FINISHED")
    assert file.unsent() == 0


@pytest.mark.parametrize(("change", "why"), [("edit", "was changed after the run"), ("delete", "is gone")])
def test_an_output_that_is_no_longer_the_runs_own_is_not_sent(queue, send, runs, client, change, why):
    output = queue()
    output.write_text("another run's\n") if change == "edit" else output.unlink()
    (lost,) = send()["exp7-3fa91c"]
    assert why in lost
    run = runs()["exp7-3fa91c"]
    assert run.info.status == "FINISHED"
    assert output.name not in [found.path for found in client.list_artifacts(run.info.run_id)]


def test_what_mlflow_refuses_is_lost_and_told_not_tried_for_ever(root, send, runs):
    refused = Dataset("dev.ko", "x" * 70_000, {"md5": "a" * 32}, "source")
    writer = Spool(spool_folder(root)).writer("exp7-1")
    writer.append(Start("exp7", "real", 1), refused, MetricPoint("n", 1.0, 5), Finish("finished", 9))
    (lost,) = send()["exp7-1"]
    assert lost.startswith("dataset was refused: ")
    assert runs()["exp7-1"].data.metrics == {"n": 1.0}


def test_a_store_that_lost_the_run_gets_all_of_it_again(root, queue, send, runs, client, migrated_database):
    queue()
    send()
    old = runs()["exp7-3fa91c"].info.run_id
    Spool(spool_folder(root)).writer("exp7-3fa91c").append(MetricPoint("late", 1.0, 5))
    client.delete_run(old)
    with sqlite3.connect(root / ".ledger" / "mlflow.db") as database:
        for table in ("params", "metrics", "latest_metrics", "tags", "runs"):
            database.execute(f"DELETE FROM {table}")
    send()
    run = runs()["exp7-3fa91c"]
    assert run.info.run_id != old
    assert run.data.metrics["late"] == 1.0
    assert run.data.metrics["bleu"] == 25.3


def test_a_run_half_sent_to_one_store_is_sent_whole_to_another(root, client, send, runs):
    writer = Spool(spool_folder(root)).writer("exp7-1")
    writer.append(
        Start("exp7", "real", 1), MetricPoint("a", 1.0, 1), Artifact("/nowhere"), MetricPoint("b", 1.0, 1)
    )
    (file,) = Spool(spool_folder(root)).files()
    file.remember(Sent("http://dead", "m1", list(file.lines())[1].end))
    send()
    assert runs()["exp7-1"].data.metrics == {"a": 1.0, "b": 1.0}


def _everything(client, run):
    series = {name: len(client.get_metric_history(run.info.run_id, name)) for name in run.data.metrics}
    artifacts = sorted((found.path, found.file_size) for found in client.list_artifacts(run.info.run_id))
    inputs = [entry.to_dictionary() for entry in run.inputs.dataset_inputs]
    data = (run.data.params, run.data.metrics, run.data.tags, run.info.run_id, run.info.status)
    return data, series, artifacts, inputs
