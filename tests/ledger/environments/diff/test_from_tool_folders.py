import json

import pytest

from ledger.environments.diff.from_tool_folders import (
    is_hugging_face,
    is_wandb,
    side_of_hugging_face,
    side_of_wandb,
)
from ledger.environments.diff.ranking import suspects
from ledger.errors import LedgerError
from ledger.evidence.environment import Package

METADATA = {
    "os": "Linux-6.1",
    "python": "CPython 3.11.7",
    "host": "vm",
    "git": {"remote": "https://u:secret@example.org/x.git", "commit": "0a1b2c"},
    "email": "ann@example.org",
}
CONFIG = (
    "_wandb:\n  value: {cli_version: 0.31.0}\nlearning_rate:\n  value: 0.0003\nuse_cache:\n  value: true\n"
)


@pytest.fixture
def wandb_run(tmp_path):
    """An offline run as W&B leaves it, its files as of 0.31."""
    files = tmp_path / "offline-run-20260125_101010-a1b2c3" / "files"
    files.mkdir(parents=True)
    (files / "wandb-metadata.json").write_text(json.dumps(METADATA))
    (files / "requirements.txt").write_text("torch==2.13.0+cpu\ntransformers==4.57.6\n-e git+x\n%broken\n")
    (files / "config.yaml").write_text(CONFIG)
    return files.parent


@pytest.fixture
def saved(tmp_path):
    """A folder as save_pretrained and the Trainer leave it."""
    folder = tmp_path / "checkpoint-90"
    folder.mkdir()
    files = {
        "config.json": {"d_model": 8, "tie_word_embeddings": True, "transformers_version": "4.57.6"},
        "generation_config.json": {"max_length": 200, "transformers_version": "4.57.6"},
        "tokenizer_config.json": {"model_max_length": 256, "added_tokens_decoder": {"0": {}}},
        "trainer_state.json": {"global_step": 90, "log_history": []},
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
    (folder / "training_args.bin").write_bytes(b"cos\nsystem\n(S'touch /tmp/never'\ntR.")
    return folder


def test_a_wandb_run_tells_packages_python_commit_and_settings(wandb_run):
    side = side_of_wandb(wandb_run)
    assert is_wandb(wandb_run)
    assert side.packages == {
        "torch": Package("2.13.0+cpu"),
        "transformers": Package("4.57.6"),
        "x": Package(None, origin={"url": "x", "editable": True}),
    }
    assert [one.partition(":")[0] for one in side.unread] == ["line 4 is not a requirement"]
    assert (side.python, side.torch, side.whole) == ("3.11.7", "cpu", True)
    assert side.settings == {"config": {"learning_rate": 0.0003, "use_cache": True}}
    assert side.inputs == {"commit": "0a1b2c"}
    assert "secret" not in repr(side)


def test_a_saved_model_tells_its_version_and_its_settings_as_written(saved):
    side = side_of_hugging_face(saved)
    assert is_hugging_face(saved)
    assert side.packages == {"transformers": Package("4.57.6")}
    assert side.settings["generation"] == {"max_length": 200, "transformers_version": "4.57.6"}
    assert side.settings["tokenizer"] == {"model_max_length": 256}
    assert side.inputs == {"steps": 90}


def test_a_folder_accuses_no_package_that_it_does_not_name(saved, wandb_run):
    found = suspects(side_of_hugging_face(saved), side_of_wandb(wandb_run))
    assert found == []


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("config.json", "{", "not valid JSON"),
        ("config.json", "[]", "does not hold a JSON object"),
        ("config.json", b"\xff\xfe", "not UTF-8"),
        ("generation_config.json", "[" * 100_000, "not valid JSON"),
    ],
)
def test_damaged_files_of_a_model_are_one_message(saved, name, content, says):
    (saved / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(LedgerError, match=says):
        side_of_hugging_face(saved)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("config.yaml", "a: [", "not valid YAML"),
        ("config.yaml", "- a", "does not hold a map of settings"),
        ("wandb-metadata.json", "null", "does not hold a JSON object"),
    ],
)
def test_damaged_files_of_a_wandb_run_are_one_message(wandb_run, name, content, says):
    (wandb_run / "files" / name).write_text(content)
    with pytest.raises(LedgerError, match=says):
        side_of_wandb(wandb_run)


def test_what_is_not_there_is_unknown_with_the_reason(wandb_run):
    for name in ("config.yaml", "requirements.txt"):
        (wandb_run / "files" / name).unlink()
    side = side_of_wandb(wandb_run)
    assert side.packages is None
    assert side.settings is None
    assert side.why_unknown("settings").endswith("has a configuration")
