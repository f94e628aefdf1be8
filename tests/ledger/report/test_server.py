"""`ledger report --serve`: who may read it, and what it says of a run that is running."""

import http.client
import json
import threading
import time
from contextlib import contextmanager

import pytest
from filelock import FileLock

from ledger.commands.report import ReportRequest
from ledger.commands.report_server import ReportServer
from ledger.journal.live import LiveFile, describe_live, read_live
from ledger.journal.store import open_journal
from ledger.tracking.series import MetricPoint, append_points
from ledger.workspace import Workspace

RUN = "exp10-0a1b2c"
PAYLOAD = "<img src=x onerror=alert(1)>"
FAILED = {
    "step": 20,
    "path": "out/checkpoint-20",
    "verdict": "fail",
    "memory": 40.0,
    "reloaded": 0.0,
    "told": ["checkpoint-20  FAIL", "  CKP003 2 tensors newly initialised"],
}


@contextmanager
def training(root):
    """A repository with a run that is running while the context is open, and its LiveFile."""
    (root / "experiments").mkdir()
    (root / "pyproject.toml").touch()
    workspace = Workspace(root)
    head = {"run": RUN, "experiment": "exp10", "mode": "real"}
    open_journal(workspace, "real").append("run.started", {**head, "spec": {"task": "training"}, "data": {}})
    folder = workspace.runs / RUN
    folder.mkdir(parents=True)
    append_points(folder, [MetricPoint("loss", 4.0 - step / 10, 1, step) for step in range(0, 20, 5)])
    live = LiveFile(folder)
    live.update(
        {"stage": "training", "done": 20, "total": 90, "rate": 2.0, "detail": "loss 2.5"}, at_once=True
    )
    with FileLock(folder / "lock"):
        yield workspace, live


@contextmanager
def serving(workspace):
    with ReportServer(workspace, ReportRequest()) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()


def ask(server, path, method="GET", host=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    connection.request(method, path, headers={"Host": host} if host else {})
    answer = connection.getresponse()
    return answer, answer.read().decode()


def test_only_the_address_with_its_token_is_answered(tmp_path):
    with training(tmp_path) as (workspace, _), serving(workspace) as server:
        assert server.server_address[0] == "127.0.0.1"
        good, page = ask(server, f"/{server.token}/")
        assert good.status == 200
        assert RUN in page
        assert "default-src 'none'" in good.headers["Content-Security-Policy"]
        for path in (
            "/",
            "/wrong/",
            f"/{server.token}",
            f"/{server.token}/../experiments/ledger.jsonl",
            "/é/",
        ):
            status = ask(server, path.replace("é", "%C3%A9"))[0].status
            assert status == 404, path
        for host in ("evil.example", f"evil.example:{server.server_port}", "127.0.0.1.evil.example:1"):
            assert ask(server, f"/{server.token}/", host=host)[0].status == 403
        assert ask(server, f"/{server.token}/", host="localhost:9")[0].status == 200, "a forwarded port"
        for method in ("POST", "PUT", "DELETE"):
            assert ask(server, f"/{server.token}/", method)[0].status == 501


def test_a_running_training_is_followed_and_its_end_changes_the_version(tmp_path):
    with training(tmp_path) as (workspace, live), serving(workspace) as server:
        first = json.loads(ask(server, f"/{server.token}/live.json")[1])
        (run,) = first["runs"]
        assert (run["run"], run["state"]) == (RUN, "running")
        assert run["doing"] == "training 20/90, loss 2.5, 0:00:35 left"
        assert run["plot"]["panels"][0]["series"][0]["x"] == [0, 5, 10, 15]
        live.update({"checkpoints": [FAILED], "samples": [{"source": "가", "output": PAYLOAD}]}, at_once=True)
        (run,) = json.loads(ask(server, f"/{server.token}/live.json")[1])["runs"]
        assert run["checkpoints"][0]["told"][1].strip().startswith("CKP003")
        assert run["doing"].endswith("; checkpoints: 1 verified, 1 failed")
        assert run["plot"]["marks"] == [{"x": 20, "code": "fail", "severity": "error"}]
        head = {"run": RUN, "experiment": "exp10", "mode": "real"}
        open_journal(workspace, "real").append(
            "run.finished", {**head, "status": "finished", "verdict": "fail"}
        )
        ended = json.loads(ask(server, f"/{server.token}/live.json")[1])
        assert ended["runs"] == []
        assert ended["version"] != first["version"]


def test_a_damaged_file_is_no_news(tmp_path):
    (tmp_path / "live.json").write_text("[1")
    assert read_live(tmp_path) == {}
    assert describe_live({}) == ""


def test_writes_that_nobody_waits_for_are_rare(tmp_path):
    live = LiveFile(tmp_path)
    for done in range(100):
        live.update({"stage": "training", "done": done, "total": 100})
    assert read_live(tmp_path)["done"] == 0
    live.update({"checkpoints": []}, at_once=True)
    assert read_live(tmp_path)["done"] == 99
    live.remove()
    assert read_live(tmp_path) == {}


def test_the_page_shows_a_failing_checkpoint_within_five_seconds(tmp_path, browser):
    with training(tmp_path) as (workspace, live), serving(workspace) as server:
        page = browser.new_context().new_page()
        failures, asked = [], []
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on("dialog", lambda dialog: failures.append(dialog.message))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(server.address)
        card = page.locator("#live article")
        card.wait_for()
        assert "loss 2.5" in card.inner_text()
        began = time.monotonic()
        live.update({"checkpoints": [FAILED], "samples": [{"source": "가", "output": PAYLOAD}]}, at_once=True)
        card.get_by_text("CKP003").wait_for(timeout=5000)
        assert time.monotonic() - began < 5
        assert PAYLOAD in card.inner_text()
        assert card.locator("canvas").count() == 2  # loss, and BLEU
        assert failures == []
        assert all(url.startswith(server.address) for url in asked)
        page.context.close()


@pytest.mark.parametrize("options", [("--out", "x.html"), ("--markdown",), ("--json",)])
def test_a_served_page_is_not_a_file(tmp_path, options, monkeypatch, capsys):
    from ledger.cli.boundary import run_command
    from ledger.cli.main import cli

    monkeypatch.chdir(tmp_path)
    assert run_command(cli, ["report", "--serve", *options]) == 2
    assert "--serve writes no file" in capsys.readouterr().err
