"""The `rehearse` job on eight lines: a few seconds a training."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from ledger.errors import LedgerError
from runners.host.worker_process import Worker
from runners.rehearsal import pairs
from runners.worker.messages import Event, Progress, RehearsalResult, Rehearse, to_json
from runners.worker.rehearsal.rehearse import PARTIAL, RECORD

FEW = 8


def job(folder: Path, **fields: Any) -> Rehearse:
    return replace(Rehearse("marian", "translation", tuple(pairs(200)), FEW, 7, folder), **fields)


def weights(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


@dataclass(frozen=True)
class Trained:
    """A tiny model, what its job returned, and the events on the way."""

    folder: Path
    result: RehearsalResult
    events: list[Event]


@pytest.fixture(scope="module")
def trained(worker: Worker, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("rehearsal") / "model"
    events: list[Event] = []
    return Trained(folder, worker.call(job(folder), events.append), events)


def test_the_same_seed_gives_the_same_weights_in_another_process(trained: Trained, tmp_path: Path):
    with Worker(Path(sys.executable), tmp_path / "worker.log") as another:
        another.call(job(tmp_path / "there"))
    assert weights(trained.folder) == weights(tmp_path / "there")


def test_another_seed_gives_other_weights(trained: Trained, worker: Worker, tmp_path: Path):
    worker.call(job(tmp_path / "8", seed=8))
    assert weights(trained.folder) != weights(tmp_path / "8")


def test_it_overfits_and_reports_how_well(trained: Trained):
    result = trained.result
    assert result.right == 1.0
    assert result.loss <= 0.01
    assert 500_000 < result.parameters < 2_000_000
    assert set(result.versions) >= {"torch", "transformers"}
    stages = [event.stage for event in trained.events if isinstance(event, Progress)]
    assert stages[0] == "making a tiny model"
    assert stages[-1] == "training it on 20 lines"  # 8 into Japanese, 8 into English, 4 without a language
    record = json.loads((trained.folder / RECORD).read_text())
    assert record == to_json(result)


def test_a_model_killed_in_training_is_not_there(tmp_path: Path):
    with Worker(Path(sys.executable), tmp_path / "worker.log") as worker:

        def kill_in_training(event: Event) -> None:
            if isinstance(event, Progress) and event.stage.startswith("training"):
                os.kill(worker.pid, signal.SIGKILL)

        with pytest.raises(LedgerError, match="was killed"):
            worker.call(job(tmp_path / "cache" / "model", lines=64), kill_in_training)
    (left,) = (tmp_path / "cache").iterdir()
    assert left.name.endswith(PARTIAL)


def test_an_unknown_family_is_an_error(worker: Worker, tmp_path: Path):
    with pytest.raises(LedgerError, match="no tiny model of family 'pegasus'"):
        worker.call(job(tmp_path / "model", family="pegasus"))


def test_it_leaves_torch_as_it_was():
    """Threads and deterministic kernels are the training's own: generation after it has the environment's."""
    code = (
        "import sys, torch; sys.path.insert(0, sys.argv[1]);"
        "from runners.worker.rehearsal.training import repeatable, THREADS;"
        "torch.set_num_threads(1);\n"
        "with repeatable(7): assert torch.get_num_threads() == THREADS\n"
        "assert torch.get_num_threads() == 1 and not torch.are_deterministic_algorithms_enabled()"
    )
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", code, str(root)], check=True)
