"""Spool files of the former version, as it wrote them: taken over, sent, and never sent twice."""

import json

import pytest

from ledger.tracking.destination import find_destination
from ledger.tracking.queue import queued_runs
from ledger.workspace import Workspace


@pytest.fixture
def spooled(root, record):
    """A run in the journal, and its spool file as the former version left it: 7 lines."""

    def spooled(run="exp7-1", recorded=True):
        started = record(run, "run.started", {"spec": {"a": 1}}).id if recorded else "sha256:1"
        body = {"status": "finished", "metrics": {"bleu": {"value": 25.3, "signature": "s"}}}
        finished = record(run, "run.finished", body).id if recorded else "sha256:2"
        events = [
            {"event": "start", "experiment": "exp7", "mode": "real", "time": 1000,
             "tags": {"ledger.run": run, "ledger.entry": started, "ledger.entry.started": started}},
            {"event": "params", "values": {"a": "1"}},
            {"event": "metric", "name": "loss", "value": 2.5, "time": 2000, "step": 10},
            {"event": "metric", "name": "loss", "value": 1.5, "time": 3000, "step": 20},
            {"event": "metric", "name": "bleu", "value": 25.3, "time": 4000, "step": 0},
            {"event": "table", "name": "samples", "columns": ["line", "source", "output"],
             "rows": [[1, "a", "b"]]},
            {"event": "finish", "status": "finished", "time": 4000, "tags": {"ledger.entry": finished}},
        ]  # fmt: skip
        spool = root / ".ledger" / "spool"
        spool.mkdir(exist_ok=True)
        path = spool / f"{run}.jsonl"
        path.write_text("".join(json.dumps(event) + "\n" for event in events))
        return path

    return spooled


def sent_state(path, offset, destination="sqlite:///x.db"):
    state = {"destination": destination, "mlflow_run": "m1", "offset": offset, "lost": []}
    path.with_name(f"{path.stem}.sent.json").write_text(json.dumps(state))


def test_an_unsent_run_is_sent_once_with_its_series_and_samples(root, spooled, sync, client):
    path = spooled()
    done = sync()
    assert done.returncode == 0, done.stderr
    (run,) = client.search_runs([client.get_experiment_by_name("exp7").experiment_id])
    series = {name: len(client.get_metric_history(run.info.run_id, name)) for name in ("loss", "bleu")}
    assert series == {"loss": 2, "bleu": 1}
    assert run.data.params == {"a": "1"}
    assert "samples.json" in [found.path for found in client.list_artifacts(run.info.run_id)]
    assert not path.exists()


def test_a_run_that_was_sent_is_not_sent_again(root, spooled, sync):
    path = spooled()
    sent_state(path, path.stat().st_size)
    done = sync()
    assert (done.returncode, json.loads(done.stdout)["runs"]) == (0, [])
    assert not path.exists()
    (run,) = queued_runs(Workspace(root))
    assert (run.unsent(), run.sent().mlflow_run) == (0, "m1")


def test_a_half_sent_run_is_completed_without_repeating_a_point(root, spooled, sync, client):
    path = spooled()
    assert sync().returncode == 0
    path = spooled_again = root / ".ledger" / "spool" / "exp7-1.jsonl"
    events = [{"event": "metric", "name": "loss", "value": 2.5, "time": 2000, "step": 10}]
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    sent_state(spooled_again, 10, find_destination(root, {}).shown)
    assert sync().returncode == 0
    (run,) = client.search_runs([client.get_experiment_by_name("exp7").experiment_id])
    assert len(client.get_metric_history(run.info.run_id, "loss")) == 2


def test_a_damaged_line_is_reported(spooled, sync):
    path = spooled()
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2][:20] + b"\n"
    path.write_bytes(b"".join(lines))
    (run,) = json.loads(sync().stdout)["runs"]
    assert run["lost"] == ["line 1 of the metric series is damaged"]


def test_a_run_that_the_journal_does_not_hold_is_reported_and_stays(root, spooled, sync):
    path = spooled("exp9-2", recorded=False)
    done = sync()
    assert done.returncode == 3
    (run,) = json.loads(done.stdout)["runs"]
    assert (run["run"], run["unsent"]) == ("exp9-2", 7)
    assert run["error"] == "its entries are not in the journal: is another branch checked out?"
    assert path.exists()
    sent_state(path, path.stat().st_size)
    assert sync().returncode == 0
