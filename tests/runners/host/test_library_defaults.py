import json
import sys
from pathlib import Path

import pytest

from runners.host.library_defaults import dump
from runners.worker.messages import ModelClass
from runners.worker.models.library_defaults import training_here

SPEC = {"share_encoder_decoder_embeddings": False, "tie_word_embeddings": True, "d_model": 64}


@pytest.fixture(scope="module")
def defaults(tmp_path_factory):
    """What this environment defaults to: a Marian as a spec sets it, an mBART-50, and what no model is."""
    log = tmp_path_factory.mktemp("defaults") / "worker.log"
    models = [ModelClass("untied", "marian", SPEC), ModelClass("exp5", "mbart50")]
    models.append(ModelClass("odd", "marian", {"d_model": "wide"}))
    return dump(Path(sys.executable), log, models, lambda _progress: None)


def test_every_class_in_use_is_looked_at(defaults):
    assert set(defaults.settings) == {
        "Seq2SeqTrainingArguments",
        "GenerationConfig",
        "save_pretrained",
        "from_pretrained",
        "MarianMTModel.config (untied)",
        "MarianMTModel.generate (untied)",
        "MarianTokenizer",
        "MBartForConditionalGeneration.config",
        "MBartForConditionalGeneration.generate",
        "MBart50Tokenizer",
    }
    assert "transformers" in defaults.imported


def test_what_the_spec_sets_is_in_the_config_and_named_as_chosen(defaults):
    config = defaults.settings["MarianMTModel.config (untied)"]
    assert config["d_model"] == 64
    assert config["share_encoder_decoder_embeddings"] is False
    chosen = {f"MarianMTModel.config (untied).{key}": value for key, value in SPEC.items()}
    assert chosen.items() <= defaults.chosen.items()


def test_values_are_plain_and_the_same_every_time(defaults):
    assert " at 0x" not in json.dumps(defaults.settings)


def test_a_config_that_this_version_cannot_make_is_told_and_the_others_are_there(defaults):
    assert set(defaults.unseen) == {"MarianMTModel.config (odd)", "MarianMTModel.generate (odd)"}


def test_recorded_arguments_as_this_version_has_them():
    here = training_here({"learning_rate": 1e-3, "gone_since": 1, "output_dir": "x", "report_to": []})
    assert here["learning_rate"] == 1e-3
    assert here["max_grad_norm"] == 1.0
    assert not {"gone_since", "output_dir"} & set(here)
