import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.tracking import limits


@pytest.mark.parametrize(
    ("key", "fitted"),
    [
        ("generation.num_beams", "generation.num_beams"),
        ("chrf++", "chrf__"),
        ("학습률", "학습률"),
        ("a//b", "_a__b"),
        ("../../etc", "_etc"),
        ("/abs", "_abs"),
        (".", "_"),
        ("", "_"),
        ("tail/", "_tail_"),
    ],
)
def test_a_key_is_made_to_fit(key, fitted):
    assert limits.fit_key(key) == fitted


def test_a_long_value_is_cut_with_a_note_of_its_length():
    value = limits.fit_value("x" * 7000, limits.PARAM_LENGTH)
    assert len(value) == limits.PARAM_LENGTH
    assert value.endswith("… [cut: 7000 characters]")
    assert limits.fit_value("x" * 6000, limits.PARAM_LENGTH) == "x" * 6000


def test_two_keys_that_fit_to_one_name_stay_two():
    fitted = limits.fit_items({"a+": "1", "a*": "2", "a_": "3"}, 10)
    assert sorted(fitted.values()) == ["1", "2", "3"]


def test_the_limits_are_those_of_the_installed_mlflow():
    from mlflow.utils import validation

    assert limits.KEY_LENGTH == validation.MAX_ENTITY_KEY_LENGTH
    assert limits.PARAM_LENGTH == validation.MAX_PARAM_VAL_LENGTH
    assert limits.TAG_LENGTH == validation.MAX_TAG_VAL_LENGTH
    assert limits.PARAMS_PER_BATCH == validation.MAX_PARAMS_TAGS_PER_BATCH
    assert limits.METRICS_PER_BATCH == validation.MAX_METRICS_PER_BATCH
    assert limits.DATASET_DIGEST_LENGTH == validation.MAX_DATASET_DIGEST_SIZE


@settings(deadline=None)  # the first example imports MLflow
@given(
    st.dictionaries(st.text(max_size=300) | st.text("./ab", max_size=12), st.text(max_size=20), max_size=8)
)
def test_mlflow_takes_whatever_was_made_to_fit(items):
    from mlflow.utils.validation import _validate_metric_name, _validate_param, _validate_param_name

    fitted = limits.fit_items(items, limits.PARAM_LENGTH)
    assert len(fitted) == len(items)
    for key, value in fitted.items():
        _validate_param_name(key)
        _validate_metric_name(key)
        _validate_param(key, value)
