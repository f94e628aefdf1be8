"""Real MLflow on real SQLite: the database is migrated once and copied."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.evidence.text import LineSample
from ledger.journal.store import open_journal
from ledger.tracking.delivery import Delivery
from ledger.tracking.destination import find_destination, mlflow_environment
from ledger.tracking.queue import queued_runs
from ledger.tracking.series import MetricPoint, append_points, write_samples
from ledger.workspace import Workspace
from tests.command import run_here

os.environ.update(mlflow_environment(os.environ))
os.environ.pop("MLFLOW_TRACKING_URI", None)


@pytest.fixture(autouse=True)
def sending(monkeypatch):
    """Runs are sent in the background, as by default."""
    monkeypatch.delenv("LEDGER_SEND", raising=False)


@pytest.fixture
def root(tmp_path, migrated_database):
    """A repository that is ready, with an empty MLflow store and an empty journal."""
    (tmp_path / ".ledger").mkdir()
    (tmp_path / "experiments").mkdir()
    shutil.copy(migrated_database, tmp_path / ".ledger" / "mlflow.db")
    return tmp_path


@pytest.fixture
def record(root):
    """Append one entry of a run to the journal, as `ledger run` does; returns it."""

    def record(run, kind, body=None, mode="real"):
        (root / ".ledger" / "runs" / run).mkdir(parents=True, exist_ok=True)
        head = {"run": run, "experiment": run.rpartition("-")[0], "mode": mode}
        return open_journal(Workspace(root), mode).append(kind, {**head, **(body or {})})

    return record


@pytest.fixture
def queue(root, record):
    """Record one whole run as the flows do; returns the output file."""

    def queue(run="exp7-3fa91c", mode="real"):
        output = root / f"{run}.ja"
        output.write_text(f"{run}の翻訳です。\n二行目。\n", encoding="utf-8")
        record(run, "run.started", started(run, mode), mode)
        write_samples(root / ".ledger" / "runs" / run, [LineSample(2, "二行目。", "둘째 줄.")])
        record(run, "run.finished", finished(run, mode, output), mode)
        return output

    return queue


@pytest.fixture
def queue_series(root, record):
    """Record a run with a series that is longer than a batch."""

    def queue_series(run, points):
        record(run, "run.started")
        series = [MetricPoint("loss", 1 / (step + 1), 1000 + step, step) for step in range(points)]
        append_points(root / ".ledger" / "runs" / run, series)
        record(run, "run.finished", {"status": "finished"})
        return series

    return queue_series


@pytest.fixture
def pending(root):
    """The number of unsent events of each run that has any."""

    def pending():
        counts = {run.id: run.unsent() for run in queued_runs(Workspace(root))}
        return {run: count for run, count in counts.items() if count}

    return pending


@pytest.fixture
def started_body():
    """The body of a `run.started` entry."""
    return started


@pytest.fixture
def finished_body():
    """The body of a `run.finished` entry."""
    return finished


@pytest.fixture
def client(root):
    """A reader of the default store."""
    from mlflow import MlflowClient

    return MlflowClient(find_destination(root, {}).uri)


@pytest.fixture
def sync(root, monkeypatch):
    """Run `ledger sync --json`: with variables as a process, which starts a sender.

    Without any it sends from this process, which has imported MLflow: each new one takes seconds for that.
    """

    def send_here(root, on_progress):
        delivery = Delivery(find_destination(root), on_progress)
        delivery.run(wait=True)
        return delivery.summary()

    def sync(**environment):
        if not environment:
            with monkeypatch.context() as patch:
                patch.setattr("ledger.tracking.sender.send_now", send_here)
                return run_here("sync", "--json", cwd=root)
        return subprocess.run(
            [sys.executable, "-c", "from ledger.cli.main import main; main()", "sync", "--json"],
            cwd=root,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return sync


def started(run="exp7-3fa91c", mode="real"):
    return {
        "run": run,
        "experiment": run.rpartition("-")[0],
        "mode": mode,
        "inputs": "sha256:inputs",
        "spec_digest": "sha256:spec",
        "spec": {
            "model": {"name": "facebook/nllb"},
            "generation": {"num_beams": 5, "do_sample": False},
            "codes": {"source": "ko", "target": "ja"},
        },
        "data": {
            "source": {"path": "data/dev.ko", "md5": "a" * 32, "sha256": "b" * 64, "lines": 2},
            "reference": {"path": "data/dev.ja", "md5": "c" * 32, "sha256": "d" * 64, "lines": 2},
        },
        "environment": "sha256:env",
        "machine": "sha256:machine",
        "git": {"commit": "0123abc", "branch": "main", "changed": ["a.py"]},
        "command": None,
        "preflight": {"verdict": "pass", "findings": [], "skips": [], "passed": []},
        "resumed": False,
    }


def finished(run, mode, output: Path):
    data = output.read_bytes()
    finding = {
        "code": "TXT001",
        "severity": "error",
        "message": "12% repeat",
        "measured": 0.12,
        "threshold": 0.05,
    }
    return {
        "run": run,
        "experiment": run.rpartition("-")[0],
        "mode": mode,
        "status": "finished",
        "seconds": 61.5,
        "output": {
            "path": output.name,
            "md5": hashlib.md5(data).hexdigest(),
            "sha256": hashlib.sha256(data).hexdigest(),
            "lines": 2,
            "bytes": len(data),
        },
        "metrics": {"bleu": {"value": 25.3, "signature": "nrefs:1|tok:ja-mecab", "scale": [0, 100]}},
        "effective": {"generation": {"max_length": 128}},
        "report": {"verdict": "fail", "findings": [{**finding, "evidence": {}}], "skips": [], "passed": []},
        "verdict": "fail",
        "exit_code": None,
    }
