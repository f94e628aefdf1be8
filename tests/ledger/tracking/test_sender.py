"""The sender as a process of its own: killed, doubled, without a server, detached."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import psutil
import pytest
from filelock import FileLock

from ledger.tracking.destination import find_destination
from ledger.tracking.sender import launch, send_now
from ledger.tracking.status import read_status, tracking_folder

SENDER = [sys.executable, "-P", "-m", "ledger.tracking.sender"]


@contextmanager
def silent_server():
    """Listens, takes connections, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://ann:hunter2@127.0.0.1:{server.getsockname()[1]}"


def histories(client, name="loss"):
    """The number of points by ledger run; fails where a run is there twice."""
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    runs = client.search_runs(experiments)
    ids = [run.data.tags["ledger.run"] for run in runs]
    assert len(ids) == len(set(ids))
    return {
        run.data.tags["ledger.run"]: len(client.get_metric_history(run.info.run_id, name)) for run in runs
    }


def test_a_killed_sender_leaves_nothing_twice_and_nothing_out(root, client, sync, queue_series, pending):
    for number in range(3):
        queue_series(f"exp7-{number}", 1500)
    for kill_after in (1, 3):
        sender = subprocess.Popen(
            [*SENDER, str(root), "--foreground"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        with sender:
            for _ in range(kill_after):
                assert sender.stdout.readline()
            sender.send_signal(signal.SIGKILL)
        assert pending(), "killed too late to show anything"
    done = sync()
    assert done.returncode == 0, done.stderr
    assert pending() == {}
    assert histories(client) == {f"exp7-{number}": 1500 for number in range(3)}


def test_a_dead_server_is_reported_then_another_store_gets_everything(root, queue, sync, client, pending):
    queue("exp7-aaaaaa")
    queue("exp8-bbbbbb")
    before = pending()
    began = time.monotonic()
    done = sync(MLFLOW_TRACKING_URI=closed_port())
    assert time.monotonic() - began < 60  # 5 s on an idle machine; MLflow's own limits take minutes
    assert done.returncode == 3
    document = json.loads(done.stdout)
    assert [(run["run"], run["sent"]) for run in document["runs"]] == [("exp7-aaaaaa", 0), ("exp8-bbbbbb", 0)]
    assert document["unsent"] == sum(run["unsent"] for run in document["runs"]) > 0
    assert all(run["error"] == "connection refused: no server listens there" for run in document["runs"])
    assert pending() == before == {run["run"]: run["unsent"] for run in document["runs"]}
    assert list(read_status(root).errors.values()) == ["connection refused: no server listens there"] * 2
    everything = (
        done.stdout + done.stderr + "".join(p.read_text() for p in tracking_folder(root).glob("s*.*"))
    )
    assert "hunter2" not in everything
    assert "ann" not in read_status(root).destination

    done = sync()
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["unsent"] == 0
    assert histories(client, "bleu") == {"exp7-aaaaaa": 1, "exp8-bbbbbb": 1}
    assert read_status(root).errors == {}


def test_a_server_that_never_answers_is_given_up(root, queue, sync):
    queue()
    with silent_server() as uri:
        began = time.monotonic()
        done = sync(MLFLOW_TRACKING_URI=uri, MLFLOW_HTTP_REQUEST_TIMEOUT="1")
        assert time.monotonic() - began < 60  # two answers of 1 s, a pause, and the import of MLflow
    assert done.returncode == 3
    assert json.loads(done.stdout)["runs"][0]["error"] == "the server did not answer in time"


def test_the_watchdog_ends_what_has_no_limit_and_reports_it(root, queue):
    """MLflow's own limit is raised beyond reason, so that only the watchdog is left."""
    queue()
    script = (
        "import sys, ledger.tracking.delivery as d; d.STEP_SECONDS = 1.5\n"
        f"sys.argv = ['sender', {str(root)!r}, '--foreground']\n"
        "from ledger.tracking.sender import main; main()"
    )
    with silent_server() as uri:
        environment = {**os.environ, "MLFLOW_TRACKING_URI": uri, "MLFLOW_HTTP_REQUEST_TIMEOUT": "999"}
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 3
    assert json.loads(done.stdout.splitlines()[-1])["runs"][0]["error"] == "no answer for 2 s"
    assert read_status(root).errors["exp7-3fa91c"] == "no answer for 2 s"


def test_a_full_disk_under_the_database_leaves_the_rest_queued(
    root, queue, queue_series, sync, client, pending
):
    """A real refusal by the kernel: no file may grow beyond what the database has now."""
    queue()
    size = (root / ".ledger" / "mlflow.db").stat().st_size
    script = (
        f"import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))\n"
        f"sys.argv = ['sender', {str(root)!r}, '--foreground']\n"
        "from ledger.tracking.sender import main; sys.exit(main())"
    )
    queue_series("exp7-1", 3000)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 3, done.stderr
    assert pending()
    assert read_status(root).errors.keys() == pending().keys()
    assert sync().returncode == 0
    assert histories(client) == {"exp7-3fa91c": 0, "exp7-1": 3000}  # the plain run has no such series


def test_two_syncs_at_once_send_once(root, client, queue_series):
    for number in range(2):
        queue_series(f"exp7-{number}", 1500)
    (root / "mlflow").mkdir()  # A folder of that name in the repository does not shadow the library.
    (root / "mlflow" / "__init__.py").write_text("raise SystemExit('shadowed')")
    command = [sys.executable, "-c", "from ledger.cli.main import main; main()", "sync", "--json"]
    both = [
        subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)
    ]
    answers = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert all(json.loads(out)["unsent"] == 0 for out, _ in answers)
    assert histories(client) == {f"exp7-{number}": 1500 for number in range(2)}


def test_a_run_queued_while_another_sender_works_is_not_missed(root, queue, pending):
    queue("exp7-aaaaaa")
    queued = []

    def queue_another(message):
        if not queued:
            queued.append(message)
            queue("exp8-bbbbbb")
            late = subprocess.run([*SENDER, str(root)], check=False, timeout=60, stderr=subprocess.DEVNULL)
            assert late.returncode == 0

    summary = send_now(root, queue_another)
    assert [run["run"] for run in summary["runs"]] == ["exp7-aaaaaa", "exp8-bbbbbb"]
    assert pending() == {}


def test_sync_says_that_it_waits_for_another_sender_and_then_sends(root, queue):
    queue()
    command = [sys.executable, "-c", "from ledger.cli.main import main; main()", "sync"]
    tracking_folder(root).mkdir()
    with FileLock(tracking_folder(root) / "sender.lock"):
        process = subprocess.Popen(
            command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stderr.readline() == "another sender is active; waiting for it\n"
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    assert out.splitlines()[0] == "exp7-3fa91c  13 sent"


def test_launch_returns_at_once_and_sends_in_the_background(root, queue, client, pending, monkeypatch):
    monkeypatch.setattr("ledger.tracking.sender.LINGER_SECONDS", 1)
    queue()
    began = time.perf_counter()
    launch(root)
    assert time.perf_counter() - began < 0.2  # 1 ms on an idle machine
    wait_until_sent(pending)
    assert histories(client, "bleu") == {"exp7-3fa91c": 1}


def senders(root):
    """The senders of this repository that this process started and that have not ended."""
    alive = [one for one in psutil.Process().children() if one.status() != psutil.STATUS_ZOMBIE]
    return [one for one in alive if str(root) in one.cmdline()]


def wait_until_sent(pending):
    deadline = time.monotonic() + 60
    while pending() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert pending() == {}


def test_one_sender_serves_several_runs(root, queue, client, pending, monkeypatch):
    monkeypatch.setattr("ledger.tracking.sender.LINGER_SECONDS", 20)
    queue("exp7-aaaaaa")
    launch(root)
    wait_until_sent(pending)
    (sender,) = senders(root)
    queue("exp8-bbbbbb")
    launch(root)
    wait_until_sent(pending)
    assert senders(root) == [sender]
    assert histories(client, "bleu") == {"exp7-aaaaaa": 1, "exp8-bbbbbb": 1}
    sender.kill()


def test_a_sender_that_waits_leaves_runs_for_another_store_to_another_sender(
    root, queue, client, pending, monkeypatch
):
    queue("exp7-aaaaaa")
    launch(root)
    wait_until_sent(pending)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{root}/other.db")
    queue("exp8-bbbbbb")
    launch(root)
    wait_until_sent(pending)
    assert histories(client, "bleu") == {"exp7-aaaaaa": 1}
    for sender in senders(root):
        sender.kill()


def test_launching_imports_no_mlflow():
    modules = "ledger.tracking.sender, ledger.tracking.series, ledger.tracking.status"
    script = f"import sys, {modules}; print('mlflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_an_empty_queue_needs_no_store(root, sync):
    (root / ".ledger" / "mlflow.db").unlink()
    done = sync()
    assert (done.returncode, json.loads(done.stdout)["runs"]) == (0, [])
    assert not (root / ".ledger" / "mlflow.db").exists()


def test_a_real_server_gets_everything_over_http(root, queue, sync, tmp_path):
    from mlflow import MlflowClient

    output = queue()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    uri = f"http://127.0.0.1:{port}"
    store = find_destination(root, {})
    served = (tmp_path / "served").as_uri()
    command = [sys.executable, "-P", "-m", "mlflow", "server", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", store.uri, "--artifacts-destination", served]
    server = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        _wait_for(port)
        done = sync(MLFLOW_TRACKING_URI=uri)
        assert done.returncode == 0, done.stdout + done.stderr
        client = MlflowClient(uri)
        assert histories(client, "bleu") == {"exp7-3fa91c": 1}
        (run,) = client.search_runs([client.get_experiment_by_name("exp7").experiment_id])
        assert output.name in [found.path for found in client.list_artifacts(run.info.run_id)]
        assert len(run.inputs.dataset_inputs) == 2
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=30)
    assert list((tmp_path / "served").rglob(output.name))


def _wait_for(port):
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.3)
    pytest.fail("mlflow server did not start")
