"""The generation settings that decide the text, and the default of each: a pure helper.

The values are those that `generate` falls back to in transformers 4.57 and 5.x alike. In 4.57 the
configuration contains them, in 5.x they are unset until `generate` fills them in: without this table, every
checkpoint that moves between the two would differ.
"""

from collections.abc import Mapping

from ledger.findings import Json
from ledger.utils.mapping_diff import Difference, differences

UNSET: Mapping[str, Json] = {
    # which token comes first, last, or never
    "decoder_start_token_id": None,
    "forced_bos_token_id": None,
    "forced_eos_token_id": None,
    "forced_decoder_ids": None,
    "bos_token_id": None,
    "eos_token_id": None,
    "pad_token_id": None,
    "bad_words_ids": None,
    "force_words_ids": None,
    "suppress_tokens": None,
    "begin_suppress_tokens": None,
    "sequence_bias": None,
    "constraints": None,
    # how long
    "max_length": 20,
    "max_new_tokens": None,
    "min_length": 0,
    "min_new_tokens": None,
    "length_penalty": 1.0,
    "early_stopping": False,
    "exponential_decay_length_penalty": None,
    "stop_strings": None,
    # which search
    "num_beams": 1,
    "num_beam_groups": 1,
    "diversity_penalty": 0.0,
    "penalty_alpha": None,
    "guidance_scale": None,
    "do_sample": False,
    "temperature": 1.0,
    "top_k": 50,
    "top_p": 1.0,
    "min_p": None,
    "typical_p": 1.0,
    "epsilon_cutoff": 0.0,
    "eta_cutoff": 0.0,
    # what is penalized
    "repetition_penalty": 1.0,
    "encoder_repetition_penalty": 1.0,
    "no_repeat_ngram_size": 0,
    "encoder_no_repeat_ngram_size": 0,
    "remove_invalid_values": False,
    "renormalize_logits": False,
}


def text_differences(before: Mapping[str, Json], after: Mapping[str, Json]) -> list[Difference]:
    """The settings that decide the text and differ; a missing setting has the value in UNSET."""
    return list(differences(_filled(before), _filled(after)))


def other_differences(before: Mapping[str, Json], after: Mapping[str, Json]) -> list[Difference]:
    """The settings that both sides have, that differ, and that only change speed or the kind of output."""
    both = (before.keys() & after.keys()) - UNSET.keys()
    return list(differences({key: before[key] for key in both}, {key: after[key] for key in both}))


def _filled(settings: Mapping[str, Json]) -> dict[str, Json]:
    return {key: unset if settings.get(key) is None else settings[key] for key, unset in UNSET.items()}
