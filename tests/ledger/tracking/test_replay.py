"""What MLflow holds after a run was sent: read back with its own client, from real SQLite."""

import json
import math
import sqlite3
from pathlib import Path

import pytest

from ledger.tracking.destination import find_destination
from ledger.tracking.queue import Sent, queued_runs, remember
from ledger.tracking.series import SERIES, MetricPoint, append_points
from ledger.workspace import Workspace

DATA = {"path": "data/dev.ko", "md5": "a" * 32}


@pytest.fixture
def send(root, client):
    """Send everything that is queued from this process; returns what was lost, by run."""
    from ledger.tracking.replay import RunReplay

    def send():
        lost = {}
        for run in queued_runs(Workspace(root)):
            replay = RunReplay(client, find_destination(root, {}), run)
            replay.send(lambda events, upload_bytes: None)
            lost[run.id] = replay.sent.lost
        return lost

    return send


@pytest.fixture
def state(root):
    """The file that says how much of a run was sent."""
    return lambda run: root / ".ledger" / "tracking" / "runs" / f"{run}.json"


@pytest.fixture
def append(root):
    """Append points to a run's series."""
    return lambda run, *points: append_points(root / ".ledger" / "runs" / run, points)


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
    *_, finished = queued_runs(Workspace(root))[0].entries
    run = runs()["exp7-3fa91c"]
    assert client.get_experiment(run.info.experiment_id).name == "exp7"
    assert (run.info.run_name, run.info.status) == ("exp7-3fa91c", "FINISHED")
    assert run.data.params["generation.num_beams"] == "5"
    assert run.data.params["effective.generation.max_length"] == "128"
    assert run.data.metrics == {"bleu": 25.3, "guard.TXT001": 0.12, "seconds": 61.5, "output_lines": 2.0}
    expected = {
        "ledger.entry": finished.id,
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


@pytest.mark.parametrize("state_lost", ["all of it", "half of it"])
def test_sending_twice_adds_nothing(queue_series, queue, send, runs, client, state, state_lost):
    """As after a crash between sending and remembering: the state says less than what MLflow has."""
    queue()
    queue_series("exp8-1", 1200)
    send()
    before = {run: _everything(client, found) for run, found in runs().items()}
    for run, series in (("exp7-3fa91c", 0), ("exp8-1", 100)):
        old = json.loads(state(run).read_text())
        if state_lost == "all of it":
            state(run).unlink()
        else:
            state(run).write_text(json.dumps({**old, "entries": old["entries"][:1], "series": series}))
    assert send() == {"exp7-3fa91c": (), "exp8-1": ()}
    assert {run: _everything(client, found) for run, found in runs().items()} == before


def test_series_keep_their_steps_times_and_odd_values(record, append, queue_series, send, runs, client):
    points = queue_series("exp7-1", 2500)
    append("exp7-1", MetricPoint("odd", float("nan"), 1, 1), MetricPoint("odd", float("inf"), 2, 2))
    send()
    run = runs()["exp7-1"].info.run_id
    history = sorted(client.get_metric_history(run, "loss"), key=lambda point: point.step)
    assert [(p.step, p.timestamp, p.value) for p in history] == [(p.step, p.time, p.value) for p in points]
    first, second = sorted(client.get_metric_history(run, "odd"), key=lambda point: point.step)
    assert math.isnan(first.value)
    assert second.value > 1e308


def test_more_params_than_a_batch_takes_and_longer_than_one_may_be(record, send, runs):
    values = {f"p{number}": str(number) for number in range(250)} | {"long": "x" * 7000, "chrf++": "1"}
    record("exp7-1", "run.started", {"spec": values})
    assert send() == {"exp7-1": ()}
    params = runs()["exp7-1"].data.params
    assert len(params) == 252
    assert params["chrf__"] == "1"
    assert params["long"].endswith("[cut: 7000 characters]")


def test_a_resumed_run_goes_on_in_the_same_mlflow_run(record, send, runs):
    first = record("exp7-1", "run.started", {"spec": {"a": "1"}})
    record("exp7-1", "run.finished", {"status": "failed"})
    send()
    assert runs()["exp7-1"].info.status == "FAILED"
    record("exp7-1", "run.started", {"spec": {"a": "2", "b": "3"}, "resumed": True})
    last = record("exp7-1", "run.finished", {"status": "finished"})
    (lost,) = send()["exp7-1"]
    run = runs()["exp7-1"]
    assert (run.info.status, run.data.tags["ledger.entry"]) == ("FINISHED", last.id)
    assert (run.info.start_time, run.info.end_time) == (_milliseconds(first), _milliseconds(last))
    assert run.data.params == {"a": "1", "b": "3"}
    assert lost == "param a stays '1', though later it was '2'"
    assert run.data.tags["ledger.incomplete"] == lost


@pytest.mark.parametrize("damage", ["middle", "torn"])
def test_a_damaged_line_costs_only_itself_and_is_reported(root, queue_series, send, runs, client, damage):
    queue_series("exp7-1", 10)
    path = root / ".ledger" / "runs" / "exp7-1" / SERIES
    lines = path.read_bytes().splitlines(keepends=True)
    number = {"middle": 3, "torn": 9}[damage]
    cut = lines[number][: len(lines[number]) // 2]
    lines[number] = cut if damage == "torn" else cut + b"\n"
    path.write_bytes(b"".join(lines))
    what = f"line {number + 1} of the metric series is {'torn' if damage == 'torn' else 'damaged'}"
    assert send() == {"exp7-1": (what,)}
    run = runs()["exp7-1"]
    assert len(client.get_metric_history(run.info.run_id, "loss")) == 9
    assert run.data.tags["ledger.incomplete"] == what
    assert run.info.status == "FINISHED"
    assert queued_runs(Workspace(root))[0].unsent() == 0


def test_a_damaged_start_costs_only_what_it_said(root, queue, send, runs):
    queue()
    journal = root / "experiments" / "ledger.jsonl"
    first, second = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(first[: len(first) // 2] + b"\n" + second)
    assert send() == {"exp7-3fa91c": ()}
    run = runs()["exp7-3fa91c"]
    assert run.data.metrics["bleu"] == 25.3
    assert run.info.status == "FINISHED"
    assert "model" not in run.data.params


@pytest.mark.parametrize(("change", "why"), [("edit", "was changed after the run"), ("delete", "is gone")])
def test_an_output_that_is_no_longer_the_runs_own_is_not_sent(queue, send, runs, client, change, why):
    output = queue()
    output.write_text("another run's\n") if change == "edit" else output.unlink()
    (lost,) = send()["exp7-3fa91c"]
    assert why in lost
    run = runs()["exp7-3fa91c"]
    assert run.info.status == "FINISHED"
    assert output.name not in [found.path for found in client.list_artifacts(run.info.run_id)]


def test_what_mlflow_refuses_is_lost_and_reported_not_tried_for_ever(record, append, send, runs):
    record("exp7-1", "run.started", {"data": {"source": {**DATA, "path": "x" * 70_000}}})
    append("exp7-1", MetricPoint("n", 1.0, 5))
    record("exp7-1", "run.finished", {"status": "finished"})
    (lost,) = send()["exp7-1"]
    assert lost.startswith("dataset was refused: ")
    assert runs()["exp7-1"].data.metrics == {"n": 1.0}


def test_the_marks_of_a_curve_are_sent_once(record, append, send, runs, client, state):
    spike = {"code": "TRN004", "severity": "warning", "message": "m", "measured": 9.5}
    spike |= {"threshold": 7.0, "evidence": {"steps": [1, 2]}}
    record("exp7-1", "run.started")
    append("exp7-1", *[MetricPoint("loss", 1.0, 5, step) for step in range(3)])
    record(
        "exp7-1",
        "run.finished",
        {"status": "finished", "report": {"findings": [spike], "skips": [], "passed": []}},
    )
    send()
    state("exp7-1").unlink()
    send()
    run = runs()["exp7-1"]
    marks = client.get_metric_history(run.info.run_id, "guard.TRN004")
    assert [(mark.step, mark.value) for mark in marks] == [(1, 9.5), (2, 9.5)]
    assert run.data.tags["ledger.guard.TRN004"] == "step 1, 2: warning: m"


def test_a_store_that_lost_the_run_gets_all_of_it_again(root, queue, append, send, runs, client):
    queue()
    send()
    old = runs()["exp7-3fa91c"].info.run_id
    append("exp7-3fa91c", MetricPoint("late", 1.0, 5))
    client.delete_run(old)
    with sqlite3.connect(root / ".ledger" / "mlflow.db") as database:
        for table in ("params", "metrics", "latest_metrics", "tags", "runs"):
            database.execute(f"DELETE FROM {table}")
    send()
    run = runs()["exp7-3fa91c"]
    assert run.info.run_id != old
    assert run.data.metrics["late"] == 1.0
    assert run.data.metrics["bleu"] == 25.3


def test_a_run_half_sent_to_one_store_is_sent_whole_to_another(root, record, append, send, runs):
    started = record("exp7-1", "run.started", {"spec": {"a": 1}})
    append("exp7-1", MetricPoint("a", 1.0, 1), MetricPoint("b", 1.0, 1))
    remember(Workspace(root), "exp7-1", Sent("http://dead", "m1", (started.id,), 20))
    send()
    assert runs()["exp7-1"].data.metrics == {"a": 1.0, "b": 1.0}
    assert runs()["exp7-1"].data.params == {"a": "1"}


def test_an_imported_run_is_sent_with_its_series(record, append, send, runs, client):
    claims = {"params": {"lr": 0.1}, "metrics": {"bleu": 20.5, "loss": 1.0}, "series": {"loss": {}}}
    record("exp7-1", "run.imported", {"claims": claims, "source": {"path": "log.md"}}, "imported")
    append("exp7-1", *[MetricPoint("loss", 1.0, 5, step) for step in range(3)])
    assert send() == {"exp7-1": ()}
    run = runs()["exp7-1"]
    assert (run.info.status, run.data.tags["ledger.mode"]) == ("FINISHED", "imported")
    assert run.data.metrics == {"bleu": 20.5, "loss": 1.0}
    assert len(client.get_metric_history(run.info.run_id, "loss")) == 3


def _milliseconds(entry):
    from ledger.tracking.content import content_of

    return content_of(entry, Path()).time


def _everything(client, run):
    series = {name: len(client.get_metric_history(run.info.run_id, name)) for name in run.data.metrics}
    artifacts = sorted((found.path, found.file_size) for found in client.list_artifacts(run.info.run_id))
    inputs = [entry.to_dictionary() for entry in run.inputs.dataset_inputs]
    data = (run.data.params, run.data.metrics, run.data.tags, run.info.run_id, run.info.status)
    return data, series, artifacts, inputs
