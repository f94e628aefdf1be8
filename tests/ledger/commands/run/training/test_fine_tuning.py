"""`ledger run` for a fine-tuning of a folder, rehearsed and real: a tiny mBART-50 learns lines new to it."""

import json
import shutil

import pytest

from ledger.checkpoints.marks import newest_verified
from ledger.commands.run.training.inputs import read_training_inputs
from ledger.findings import Report
from ledger.specs import load_experiment
from ledger.workspace import Workspace
from runners.rehearsal.text import pairs

pytestmark = pytest.mark.timeout(400)

SPEC = """
task: training
model: {name: models/base, family: mbart50}
languages: {source: ko, target: ja}
codes: {source: ko_KR, target: ja_XX}
data:
  train: {source: data/train.ko, reference: data/train.ja}
  validation: {source: data/train.ko, reference: data/train.ja}
output: models/tuned
training: {per_device_train_batch_size: 16, learning_rate: 1.0e-3, max_steps: 60, save_steps: 30,
  logging_steps: 5, save_total_limit: 1}
"""
# It is evaluated on the lines that it learns, so that it scores well after 60 steps.
RUN = ("run", "tune", "--allow", "PRE007")
LEARNED, NEW = slice(64), slice(64, 96)


@pytest.fixture
def tuning(repository, monkeypatch):
    """A repository with the experiment `tune`; its model is there once it was rehearsed."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    (repository.root / "experiments" / "tune.yaml").write_text(SPEC, encoding="utf-8")
    (repository.root / "data").mkdir()
    for language in ("ko", "ja"):
        lines = "".join(f"{getattr(pair, language)}\n" for pair in pairs(96)[NEW])
        (repository.root / "data" / f"train.{language}").write_text(lines, encoding="utf-8")
    return repository


def tiny_model_of(repository, run):
    """The model that a rehearsed fine-tuning started from, by the settings of what it saved."""
    saved = repository.root / ".ledger/runs" / run / "checkpoints/checkpoint-90/config.json"
    size = json.loads(saved.read_text(encoding="utf-8"))["vocab_size"]
    for folder in (repository.root / ".ledger/models").glob("mbart50-translation-*/"):
        if json.loads((folder / "config.json").read_text(encoding="utf-8"))["vocab_size"] == size:
            return folder
    raise AssertionError("the tiny model is not in the cache")


def test_a_folder_is_tuned_as_it_was_rehearsed(tuning):
    rehearsed = tuning.json("run", "tune", "--rehearse")
    assert rehearsed["verdict"] == "pass"
    assert [row["reloaded"] > 60 for row in rehearsed["checkpoints"]] == [True] * 3
    assert "PRE002" in rehearsed["passed"]

    shutil.copytree(tiny_model_of(tuning, rehearsed["run"]), tuning.root / "models/base")
    leaking = tuning.json("run", "tune", exits=1)
    assert Report.from_json(leaking).failing == {"PRE007"}
    refused = tuning.json(*RUN, "--set", "codes.target=ja", exits=1)
    assert Report.from_json(refused).failing == {"PRE002"}
    assert refused["run"] is None

    done = tuning.json(*RUN)
    assert done["verdict"] == "pass"
    first, last = done["checkpoints"]
    assert first["reloaded"] == first["memory"] < last["reloaded"] == last["memory"]
    assert first["marked"]
    assert last["marked"]
    folder = tuning.root / "models/tuned" / done["run"]
    assert newest_verified(folder) == folder / "checkpoint-60"
    journal = (tuning.root / "experiments/ledger.jsonl").read_text(encoding="utf-8")
    assert '"path":"models/base"' in journal
    again = tuning.json(*RUN, exits=1)
    assert Report.from_json(again).failing == {"PRE001"}


def test_a_folder_that_changed_is_another_experiment(tuning):
    base = tuning.root / "models/base"
    base.mkdir(parents=True)
    spec = load_experiment("tune", tuning.root / "experiments")
    digests = []
    for text in ("one", "one", "other"):
        (base / "config.json").write_text(text, encoding="utf-8")
        digests.append(read_training_inputs(spec, Workspace(tuning.root), rehearsal=False).digest)
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("{name: models/nowhere/at-all, family: mbart50}", "no model folder"),
        ("{name: data, family: mbart50}", "holds no config.json"),
    ],
)
def test_a_folder_that_is_no_model_is_said(tuning, model, says):
    spec = SPEC.replace("{name: models/base, family: mbart50}", model)
    (tuning.root / "experiments" / "tune.yaml").write_text(spec, encoding="utf-8")
    done = tuning.ledger(*RUN)
    assert done.returncode == 3
    assert says in done.stderr
    assert not list((tuning.root / ".ledger" / "runs").iterdir())


def test_a_rehearsal_needs_to_know_the_family(tuning):
    spec = SPEC.replace("{name: models/base, family: mbart50}", "{name: models/base}")
    (tuning.root / "experiments" / "tune.yaml").write_text(spec, encoding="utf-8")
    done = tuning.ledger("run", "tune", "--rehearse")
    assert done.returncode == 2
    assert "family" in done.stderr
