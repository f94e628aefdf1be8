import json
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.commands.verify.values import VerifyRequest
from ledger.commands.verify.verify import prepare
from runners.host.worker_process import Worker
from runners.rehearsal.text import pairs
from tests.conftest import make_once

MAKER = Path(__file__).parents[2] / "tools" / "tiny_checkpoints.py"
LINES = 32
GOOD = 200  # steps after which every family translates all the lines
UNTIED = {"share_encoder_decoder_embeddings": False, "tie_word_embeddings": False}
FAMILIES = ("marian", "mbart50", "m2m100", "nllb", "t5")
SAVES = (1, 10, 30, 60)  # steps of the checkpoints of a healthy training, from its start to half-way
SEEDS = (11, 12)


@pytest.fixture(scope="session")
def good(tmp_path_factory):
    """A folder of trainings: NAME/checkpoint-STEP, each saved with its evidence by the product's own code."""
    return make_once(tmp_path_factory, "good", save_all)


def save_all(root):
    text = pairs(2 * LINES)
    ours, others = text[:LINES], text[LINES:]
    steps = [*SAVES, GOOD]
    orders = [{"folder": name, "family": name, "steps": [2, *steps], "seed": 10} for name in FAMILIES]
    orders += [{"folder": "marian-untied", "family": "marian", "steps": steps, "seed": 10, "config": UNTIED}]
    orders += [
        {"folder": f"{name}-{seed}", "family": name, "steps": SAVES, "seed": seed}
        for name in FAMILIES
        for seed in SEEDS
    ]
    orders = [{"triples": ours, **order} for order in orders]
    orders += [
        {"folder": f"{name}-other", "family": name, "triples": others, "steps": [1], "seed": 10}
        for name in ("marian", "m2m100", "t5")
    ]
    for order in orders:
        order["folder"] = str(root / order["folder"])
    subprocess.run(
        [sys.executable, str(MAKER), "save"],
        input=json.dumps(orders),
        text=True,
        check=True,
    )


@pytest.fixture(scope="session")
def worker(tmp_path_factory):
    """One worker process for all checkpoints."""
    with Worker(Path(sys.executable), tmp_path_factory.mktemp("worker") / "worker.log") as worker:
        yield worker


@pytest.fixture(scope="session")
def setting(tmp_path_factory):
    """The context of `ledger verify` outside any ledger."""
    return prepare(None, VerifyRequest((tmp_path_factory.mktemp("no-ledger"),), Path(sys.executable)))
