"""`ledger ui` up to the point where it becomes MLflow's server."""

import json
import os
import socket
import subprocess
import sys

import pytest


@pytest.fixture
def ui(root):
    def ui(*arguments, **environment):
        return subprocess.run(
            [sys.executable, "-c", "from ledger.cli.main import main; main()", "ui", *arguments],
            cwd=root,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return ui


def test_a_busy_port_is_one_clear_message(ui):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = ui("--port", str(port))
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(f"ledger: cannot listen on 127.0.0.1:{port}: Address already in use\n")
    assert "Traceback" not in done.stderr


def test_a_host_that_is_none_of_ours_is_one_clear_message(ui):
    done = ui("--host", "192.0.2.1")  # reserved for documentation: never an address of this machine
    assert done.returncode == 3
    assert "cannot listen on 192.0.2.1:5000" in done.stderr


def test_a_server_that_is_there_already_is_pointed_to(ui):
    done = ui("--json", MLFLOW_TRACKING_URI="http://ann:hunter2@127.0.0.1:1/team")
    assert done.returncode == 0
    assert json.loads(done.stdout)["address"] == "http://127.0.0.1:1/team"


def test_what_could_not_be_sent_is_told_and_stops_nobody(ui, queue):
    queue()
    done = ui(MLFLOW_TRACKING_URI="http://127.0.0.1:1")
    assert done.returncode == 0
    assert "exp7-3fa91c: 13 events unsent: connection refused" in done.stderr
    assert "MLflow: http://127.0.0.1:1" in done.stdout
