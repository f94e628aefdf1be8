import pytest

from guards.training import changed_defaults
from ledger.evidence.training import EffectiveSettings

BEFORE = EffectiveSettings(
    "exp10-0a1b2c",
    {"model": {"use_cache": True, "forced_eos_token_id": 0}, "training": {"learning_rate": 3e-4}},
    versions={"transformers": "4.57.6", "torch": "2.13.0"},
)


def look(settings, chosen=(), versions=None):
    actual = EffectiveSettings("now", settings, frozenset(chosen), versions or {})
    return [d["field"] for f in changed_defaults.inspect(BEFORE, actual) for d in f.evidence["differences"]]


def test_the_same_settings_pass():
    assert look(BEFORE.settings) == []


def test_defaults_that_changed_with_a_version_are_reported():
    after = {
        "model": {"use_cache": False},
        "training": {"learning_rate": 3e-4, "use_cache": False, "output_dir": "elsewhere"},
    }
    actual = EffectiveSettings("now", after, versions={"transformers": "5.0.0", "torch": "2.13.0"})
    (finding,) = changed_defaults.inspect(BEFORE, actual)
    assert finding.message == (
        "3 defaults differ from the last good run, exp10-0a1b2c (transformers 4.57.6 -> 5.0.0): "
        "model.forced_eos_token_id (0 -> unset), model.use_cache (True -> False), "
        "training.use_cache (unset -> False)"
    )


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ((), ["training.learning_rate"]),
        (["training.learning_rate"], []),
        (["learning_rate"], ["training.learning_rate"]),
        (["model.learning_rate"], ["training.learning_rate"]),
    ],
)
def test_a_chosen_setting_is_not_a_default(chosen, found):
    after = {**BEFORE.settings, "training": {"learning_rate": 1e-4}}
    assert look(after, chosen) == found
