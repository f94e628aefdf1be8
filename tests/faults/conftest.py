import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.commands.verify.values import VerifyRequest
from ledger.commands.verify.verify import prepare
from runners.host.worker_process import Worker
from runners.rehearsal.text import pairs

MAKER = Path(__file__).parents[2] / "tools" / "tiny_checkpoints.py"
LINES = 32
GOOD = 200  # steps by which every family has learned all the lines
UNTIED = {"share_encoder_decoder_embeddings": False, "tie_word_embeddings": False}
FAMILIES = ("marian", "mbart50", "m2m100", "nllb", "t5")
SAVES = (1, 10, 30, 60)  # of each healthy training: hardly begun, learning, half-way
SEEDS = (11, 12)


@pytest.fixture(scope="session")
def good(tmp_path_factory):
    """A folder with trainings: NAME/checkpoint-STEP, each saved with its evidence, by real code."""
    root = tmp_path_factory.mktemp("good")
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
        env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"},
        text=True,
        check=True,
    )
    return root


@pytest.fixture(scope="session")
def worker(tmp_path_factory):
    """One process for all: it takes as many checkpoints as it is given."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        with Worker(Path(sys.executable), tmp_path_factory.mktemp("worker") / "worker.log") as worker:
            yield worker


@pytest.fixture(scope="session")
def setting(tmp_path_factory):
    """That of `ledger verify` outside any ledger."""
    return prepare(None, VerifyRequest((tmp_path_factory.mktemp("no-ledger"),), Path(sys.executable)))
