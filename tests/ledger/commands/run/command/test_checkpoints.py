"""`ledger run -- python train.py`: a script that knows nothing of the ledger has every save verified."""

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from ledger.checkpoints.marks import read_mark
from tests.ledger.commands.conftest import build_model

ROOT = Path(__file__).parents[5]
EXAMPLE = ROOT / "examples" / "train_translation.py"
SCRIPTS = Path(__file__).parent / "scripts"
ARGUMENTS = {
    "max_steps": 30,
    "save_steps": 10,
    "logging_steps": 5,
    "save_total_limit": 1,
    "report_to": "none",
    "per_device_train_batch_size": 8,
    "learning_rate": 2e-3,
    "disable_tqdm": "true",
    "output_dir": "out",
}


def train(repository, model, train_file, script=EXAMPLE, python=sys.executable, ledger=(), exits=0, **more):
    """The run's document."""
    arguments = {"model_name_or_path": model, "train_file": train_file, **ARGUMENTS, **more}
    options = [word for name, value in arguments.items() for word in (f"--{name}", str(value))]
    done = repository.ledger("run", "--json", *ledger, "--", str(python), str(script), *options)
    assert done.returncode == exits, done.stderr
    return json.loads(done.stdout)


def steps(document):
    return [(row["step"], row["verdict"], row["marked"]) for row in document["checkpoints"]]


EVERY_SAVE = [(10, "pass", True), (20, "pass", True), (30, "pass", True), (30, "pass", True)]


def test_every_save_of_an_unchanged_script_is_verified(repository, tiny_marian, train_file):
    document = train(repository, tiny_marian, train_file)
    assert steps(document) == EVERY_SAVE  # the last one is what the script saved itself, at its end
    assert all(row["memory"] == row["reloaded"] is not None for row in document["checkpoints"])
    assert {"CKP003", "CKP005", "CKP006", "CKP009"} <= set(document["passed"])
    assert document["last_step"] == 30
    out = repository.root / "out"
    assert read_mark(out / "checkpoint-30")
    assert read_mark(out)
    assert not (out / "checkpoint-20").exists()  # save_total_limit went on as ever
    assert not list(repository.root.rglob("snapshots"))
    shown = repository.ledger("show", document["run"]).stdout
    assert "BLEU in memory" in shown
    again = repository.json("verify", "out/checkpoint-30")
    assert again["checkpoints"][0]["run"] == document["run"]


def test_a_save_that_lost_something_ends_the_training(repository, tiny_marian, train_file):
    long = {"max_steps": 100_000, "save_steps": 100}
    document = train(repository, tiny_marian, train_file, SCRIPTS / "forgetful.py", exits=1, **long)
    assert document["exit_code"] == 0  # it ended in its own way
    assert document["verdict"] == "fail"
    assert "CKP005" in {found["code"] for found in document["findings"]}
    assert document["last_step"] < 100000
    assert not any(marked for _, _, marked in steps(document))


def test_a_user_who_only_wants_to_be_warned_is_warned(repository, tiny_marian, train_file):
    ledger = ("--on-fail", "warn")
    document = train(repository, tiny_marian, train_file, SCRIPTS / "forgetful.py", ledger=ledger)
    assert [verdict for _, verdict, _ in steps(document)] == ["fail"] * 4
    assert document["verdict"] == "pass"
    assert {found["severity"] for found in document["findings"] if found["code"] == "CKP005"} == {"warning"}


def newest_transformers() -> Path | None:
    """The Python of an environment with transformers 5 that was built earlier."""
    cache = os.environ.get("LEDGER_ENVIRONMENTS")
    return next(Path(cache).glob("mt-5-latest*/bin/python"), None) if cache else None


@pytest.mark.skipif(newest_transformers() is None, reason="no mt-5-latest under $LEDGER_ENVIRONMENTS")
def test_it_is_the_scripts_own_python_that_reloads(repository, train_file, tmp_path):
    python = newest_transformers()
    model = build_model(python, tmp_path / "tiny")
    document = train(repository, model, train_file, python=python)
    assert steps(document) == EVERY_SAVE
    evidence = json.loads((repository.root / "out/checkpoint-30/ledger/evidence.json").read_text())
    assert evidence["snapshot"]["origin"]["versions"]["transformers"].startswith("5.")
    assert "CKP011" in document["passed"]  # reloaded by the same versions


def test_without_a_trainer_the_named_folder_is_watched(repository, tiny_marian):
    script = [sys.executable, str(SCRIPTS / "no_trainer.py"), str(tiny_marian), "saved", "cut"]
    (repository.root / "in.ko").write_text("파일을 저장했습니다.\n안녕하세요.\n", encoding="utf-8")
    (repository.root / "ref.ja").write_text("保存しました。\nこんにちは。\n", encoding="utf-8")
    text = ("--source", "in.ko", "--reference", "ref.ja", "--lang", "ja")
    document = repository.json("run", "--json", "--watch", "saved", *text, "--", *script, exits=1)
    assert [(step, said) for step, said, _ in steps(document)] == [(1, "pass"), (2, "fail")]
    assert document["checkpoints"][0]["reloaded"] is not None  # an untrained model's text is only a warning
    assert "CKP001" in {found["code"] for found in document["findings"]}  # the second one is cut off
    assert [one["path"] for one in document["unverified"]] == ["saved/state-2"]
    assert read_mark(repository.root / "saved" / "checkpoint-1")


def test_without_a_trainer_and_a_folder_it_is_told_that_nothing_was_verified(repository, tiny_marian):
    script = [sys.executable, str(SCRIPTS / "no_trainer.py"), str(tiny_marian), "saved"]
    document = repository.json("run", "--json", "--", *script, exits=3)
    assert document["checkpoints"] == []
    saved = ["saved/checkpoint-1", "saved/checkpoint-2", "saved/state-2"]
    assert [one["path"] for one in document["unverified"]] == saved
    assert "save_state" in document["unverified"][2]["reason"]
    assert any("--watch" in skip["reason"] for skip in document["skips"])
    assert document["verdict"] == "inconclusive"


@pytest.mark.skipif(not find_spec("lightning"), reason="Lightning is not installed")
@pytest.mark.parametrize("kind", ["plain", "broken", "averaged"])
def test_lightnings_checkpoints_are_verified_too(repository, tiny_marian, kind):
    script = [sys.executable, str(SCRIPTS / "lightning_training.py"), str(tiny_marian), "saved", kind]
    document = repository.json("run", "--json", "--on-fail", "warn", "--", *script)
    said = "fail" if kind == "broken" else "pass"
    assert steps(document) == [(8, said, False), (16, said, False)]  # a file bears no mark
    assert document["last_step"] == 16
    skipped = {skip["code"]: skip["reason"] for skip in document["skips"]}
    if kind == "plain":
        assert "no model of transformers" in skipped["CKP006"]
        assert {"CKP003", "CKP004", "CKP005"} <= set(document["passed"])
    elif kind == "averaged":
        assert {"CKP005", "CKP006", "CKP007", "CKP022", "CKP023"} <= set(document["passed"])
    else:
        assert {"CKP005", "CKP006"} <= {found["code"] for found in document["findings"]}


def run_without_tokenizer(repository, tiny_marian, *more, exits=0):
    """The run's document, of a trainer that saves at steps 2 and 4."""
    script = [sys.executable, str(SCRIPTS / "no_tokenizer.py"), str(tiny_marian), "out", *more]
    done = repository.ledger("run", "--json", "--watch", "out", "--", *script)
    assert done.returncode == exits, done.stderr
    assert "Traceback" not in done.stderr  # the terminal is the script's
    return json.loads(done.stdout)


def test_a_save_that_the_script_makes_beside_its_trainer_is_found(repository, tiny_marian):
    document = run_without_tokenizer(repository, tiny_marian)
    found = {row["path"]: (row["verdict"], row["marked"]) for row in document["checkpoints"]}
    assert found == dict.fromkeys(["out/checkpoint-2", "out/checkpoint-4", "out/final"], ("pass", True))
    assert any("no tokenizer was found" in skip["reason"] for skip in document["skips"])
    skipped = {skip["code"]: skip["reason"] for skip in document["skips"]}
    for code in ("CKP005", "CKP006"):  # tensors and logits need no tokenizer
        assert skipped[code].startswith("final: ")
    assert not list(repository.root.rglob("snapshots"))


def test_a_save_that_a_killed_script_did_not_tell_of_is_never_marked(repository, tiny_marian):
    document = run_without_tokenizer(repository, tiny_marian, "killed", exits=3)
    assert 4 not in {step for step, _, _ in steps(document)}
    assert any("checkpoint-4" in skip["reason"] for skip in document["skips"])
    assert not list(repository.root.rglob("snapshots"))  # nor of a save that was linked by then
    again = repository.json("verify", "out/checkpoint-4", exits=3)
    assert again["verdict"] == "inconclusive"
    assert document["run"] in {word for skip in again["skips"] for word in skip["reason"].split()}
    assert not (repository.root / "out" / "checkpoint-4" / "ledger" / "verified.json").exists()
