"""The spec of a forecasting: its checks, its digest, its parent, and the table in the docs."""

import re
from pathlib import Path

import pytest

from ledger.errors import UsageError
from ledger.specs import ForecastingSpec, load_experiment
from ledger.specs.reference import field_table

ROOT = Path(__file__).parents[3]
EXPERIMENTS = ROOT / "experiments"


def t5(*overrides, name="t5-v56") -> ForecastingSpec:
    spec = load_experiment(name, EXPERIMENTS, overrides, rate_codes=["TXT001"])
    assert isinstance(spec, ForecastingSpec)
    return spec


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("training.precision=32", "training.precision"),  # a number, where Lightning's names are text
        ("training.warmup_epochs=6", "should be less than epochs"),
        ("training.layerwise_lr_decay=1.1", "training.layerwise_lr_decay"),
        ("masking.mask_ratio=1", "masking.mask_ratio"),
        ("development.limit_train_batches=0", "development.limit_train_batches"),
        ("data.validation_share=1", "data.validation_share"),
        ("guards.training_limits.vanishing=1", "no limit is called vanishing"),
        ("data.series.a/b=x.csv", "a/b"),
        ("languages.source=ko", "languages"),
        ("training.gradient_clp=1", "gradient_clip"),
    ],
)
def test_what_is_wrong_is_told(override, says):
    with pytest.raises(UsageError, match=re.escape(says)):
        t5(override)


def test_null_unsets_a_time_frame_and_one_has_to_stay():
    frames = [f"data.series.{frame}=null" for frame in t5().data.series]
    assert list(t5(*frames[1:]).data.series) == ["M1"]
    with pytest.raises(UsageError, match="should name at least one time frame and its file"):
        t5(*frames)


@pytest.mark.parametrize(
    ("name", "overrides", "parent"),
    [
        ("t5-v56", [], None),  # a base is no experiment
        ("t5-v57", [], "t5-v56"),
        ("t5-v58", [], "t5-v56"),
        ("t5-v58", ["parent=null"], "t5-v57"),
    ],
)
def test_the_parent_is_stated_or_else_what_is_extended(name, overrides, parent):
    assert t5(*overrides, name=name).compared_with == parent


def test_the_parent_does_not_change_the_digest():
    assert t5("parent=t5-v57").digest == t5().digest
    assert t5("training.t5_lr_top=6e-6").digest != t5().digest


def test_the_encoder_of_t5_large_is_counted_by_its_config():
    # T5EncoderModel of t5-large has 334,939,648 parameters, of which 32,128 x 1,024 embed words.
    assert t5().model.config.count == 334_939_648 - 32_128 * 1_024


def test_the_table_is_in_the_docs():
    page = (ROOT / "docs/specs.md").read_text(encoding="utf-8")
    found = re.search(
        r"<!-- forecasting fields: .* -->\n(.*?)\n<!-- end of forecasting fields -->", page, re.DOTALL
    )
    assert found
    assert found[1] == field_table(ForecastingSpec), "paste what `python -m ledger.specs.reference` prints"
