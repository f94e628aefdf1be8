"""Specs of trainings: what exp10 says, what a training may not say, and that both tables are in the docs."""

import re
from pathlib import Path

import pytest

from ledger.errors import UsageError
from ledger.specs import GenerationSpec, TrainingSpec, load_experiment
from ledger.specs.reference import field_table

ROOT = Path(__file__).parents[3]
EXPERIMENTS = ROOT / "experiments"


def training(*overrides: str) -> TrainingSpec:
    spec = load_experiment("exp10", EXPERIMENTS, overrides)
    assert isinstance(spec, TrainingSpec)
    return spec


def test_exp10_has_the_settings_of_the_good_run():
    said = training().training
    batch = (said.per_device_train_batch_size, said.gradient_accumulation_steps)
    assert batch == (128, 2)
    assert (said.learning_rate, said.warmup_steps, said.lr_scheduler_type) == (3e-4, 4000, "cosine")
    assert (said.num_train_epochs, said.fp16) == (10, True)
    assert training().on_fail == "stop"


def test_the_steps_are_those_of_the_log():
    """21,370 steps: 546,881 lines in 4,273 batches of 128, two to a step, ten times."""
    said = training().training
    batches = -(-546_881 // said.per_device_train_batch_size)
    assert -(-batches // said.gradient_accumulation_steps) * said.num_train_epochs == 21_370


def test_what_is_unset_stays_unset():
    assert "eval_steps" not in training().training.arguments()
    assert "dropout" in training().model.config.parameters()


def test_a_generation_is_loaded_as_one():
    assert isinstance(load_experiment("exp5", EXPERIMENTS), GenerationSpec)


def test_a_training_is_loaded_as_one():
    assert isinstance(load_experiment("exp10", EXPERIMENTS), TrainingSpec)


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("task=trainin", "should be 'generation' or 'training' or 'forecasting', not 'trainin'"),
        ("model.name=facebook/mbart-large-50", "either a name to start from, or a config"),
        ("model.family=t5", "the family marian or mbart50"),
        ("training.bf16=true", "cannot be combined with fp16"),
        ("training.warmup_step=3", "is not a key of a spec"),
        ("training.save_steps=0", "greater than or equal to 1"),
        ("on_fail=ignore", "should be 'stop' or 'warn'"),
        ("generation.num_beams=3", "is not a key of a spec"),
        ("model.config.d_model=wide", "should be a whole number"),
    ],
)
def test_what_is_wrong_is_told(override, says):
    with pytest.raises(UsageError, match=re.escape(says)):
        training(override)


def test_the_nearest_key_is_told():
    with pytest.raises(UsageError) as caught:
        training("training.warmup_step=3")
    assert "training.warmup_steps" in str(caught.value.hint)


@pytest.mark.parametrize(
    "override",
    [
        "training.learning_rate=1e-4",
        "on_fail=warn",
        "model.config.d_model=256",
        "data.train.source=data/x.ja",
    ],
)
def test_every_change_changes_the_digest(override):
    assert training(override).digest != training().digest


def test_the_table_of_a_training_is_in_the_docs():
    page = (ROOT / "docs/specs.md").read_text(encoding="utf-8")
    found = re.search(
        r"<!-- training fields: .* -->\n(.*?)\n<!-- end of training fields -->", page, re.DOTALL
    )
    assert found
    assert found[1] == field_table(TrainingSpec), "paste what `python -m ledger.specs.reference` prints"
