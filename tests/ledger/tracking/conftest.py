"""Real MLflow on real SQLite: the database is migrated once and copied."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.evidence.text import LineSample
from ledger.tracking.destination import find_destination, mlflow_environment
from ledger.tracking.events import record_finish, record_start
from ledger.tracking.spool import Spool
from ledger.tracking.status import spool_folder

os.environ.update(mlflow_environment(os.environ))
os.environ.pop("MLFLOW_TRACKING_URI", None)


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory):
    from ledger.tracking.upload import connect

    root = tmp_path_factory.mktemp("template")
    connect(find_destination(root, {}))
    return root / ".ledger" / "mlflow.db"


@pytest.fixture
def root(tmp_path, migrated_database):
    """A repository that is ready, with an empty MLflow store and an empty spool."""
    (tmp_path / ".ledger").mkdir()
    (tmp_path / "experiments").mkdir()
    shutil.copy(migrated_database, tmp_path / ".ledger" / "mlflow.db")
    return tmp_path


@pytest.fixture
def queue(root):
    """Queue one whole run as the flows do; returns the output file."""

    def queue(run="exp7-3fa91c", mode="real", writer=None):
        writer = writer or Spool(spool_folder(root)).writer(run)
        output = root / f"{run}.ja"
        output.write_text(f"{run}の翻訳です。\n二行目。\n", encoding="utf-8")
        record_start(writer, started(run, mode), "sha256:e1")
        samples = [LineSample(2, "二行目。", "둘째 줄.")]
        record_finish(writer, finished(run, mode, output), "sha256:e2", samples=samples, artifact=output)
        return output

    return queue


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
def sync(root):
    """Run `ledger sync --json` as a process."""

    def sync(**environment):
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
            "model": "facebook/nllb",
            "generation": {"num_beams": 5, "do_sample": False},
            "codes": ["ko", "ja"],
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
