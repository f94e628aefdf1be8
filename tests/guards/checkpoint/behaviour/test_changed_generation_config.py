from dataclasses import replace

import pytest

from guards.checkpoint.behaviour import changed_generation_config as guard
from guards.checkpoint.behaviour.generation_settings import UNSET
from ledger.findings import Severity


def generating(good, **changes):
    settings = {**good.effective.generation, **changes}
    kept = {key: value for key, value in settings.items() if value is not ...}
    return replace(good, effective=replace(good.effective, generation=kept))


@pytest.mark.parametrize(
    ("changes", "severity", "reported"),
    [
        ({}, None, ""),
        ({"max_length": 20}, Severity.ERROR, "max_length (512 -> 20)"),
        ({"max_length": ...}, Severity.ERROR, "max_length (512 -> 20)"),
        ({"forced_bos_token_id": 250012}, Severity.ERROR, "forced_bos_token_id (unset -> 250012)"),
        ({"decoder_start_token_id": 2}, Severity.ERROR, "decoder_start_token_id (31999 -> 2)"),
        ({"decoder_start_token_id": ...}, Severity.ERROR, "decoder_start_token_id (31999 -> unset)"),
        (
            {"num_beams": 5, "length_penalty": 1.7},
            Severity.ERROR,
            "length_penalty (1.0 -> 1.7), num_beams (1 -> 5)",
        ),
        ({"no_repeat_ngram_size": 3}, Severity.ERROR, "no_repeat_ngram_size (0 -> 3)"),
        # What 4.57 writes down as a default, 5.x leaves unset until it generates.
        ({"num_beams": ..., "top_k": 50, "temperature": 1.0, "do_sample": False}, None, ""),
        ({"use_cache": False}, Severity.INFO, "use_cache (True -> False)"),
        ({"use_cache": ..., "output_scores": False}, None, ""),
    ],
)
def test_settings_that_decide_the_text(good, changes, severity, reported):
    found = list(guard.inspect(good, generating(good, **changes)))
    assert [finding.severity for finding in found] == ([severity] if severity is not None else [])
    assert all(reported in finding.message for finding in found)


def test_both_kinds_are_reported_separately(good):
    found = list(guard.inspect(good, generating(good, max_length=20, use_cache=False)))
    assert [finding.severity for finding in found] == [Severity.ERROR, Severity.INFO]


def test_the_table_of_defaults_is_the_library_s_own():
    """Held against the installed transformers, whichever it is."""
    generation = pytest.importorskip("transformers.generation.configuration_utils")
    config = generation.GenerationConfig()
    ask = getattr(config, "_get_default_generation_params", config.to_dict)  # 5.x keeps them there
    defaults = ask()
    known = {key: value for key, value in UNSET.items() if key in defaults}
    assert known == {key: defaults[key] for key in known}
    assert len(known) > 20
