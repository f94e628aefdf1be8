"""What the digest of a spec depends on, and what it does not; the laws of merging."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from ledger.specs import GenerationSpec, load_experiment
from ledger.specs.inheritance import merge
from ledger.specs.loader import dotted_keys

CONTENT = {
    "title": "a",
    "notes": "b",
    "status": "ready",
    "model": {"name": "facebook/nllb-200-3.3B", "dtype": "float16"},
    "languages": {"source": "ko", "target": "ja"},
    "codes": {"source": "kor_Hang", "target": "jpn_Jpan"},
    "data": {"source": "data/a.ko"},
    "output": "data/a.ja",
    "generation": {"num_beams": 3, "repetition_penalty": 2.0},
    "environment": "mt-4.57.6",
}
# One other value for every key that is not a section.
OTHER = {
    "title": "z",
    "notes": "z",
    "status": "planned",
    "task": None,
    "extends": None,
    "model.name": "facebook/nllb-200-distilled-600M",
    "model.revision": "v1",
    "model.family": "t5",
    "model.dtype": "bfloat16",
    "languages.source": "en",
    "languages.target": "en",
    "codes.source": "ko",
    "codes.target": "ja",
    "data.source": "data/b.ko",
    "data.reference": "data/b.ja",
    "output": "data/z.ja",
    "failure_marker": "FAILED",
    "generation.batch_size": 3,
    "generation.max_source_length": 3,
    "generation.max_length": 3,
    "generation.max_new_tokens": 3,
    "generation.min_length": 3,
    "generation.num_beams": 4,
    "generation.early_stopping": True,
    "generation.length_penalty": 0.5,
    "generation.repetition_penalty": 2.1,
    "generation.no_repeat_ngram_size": 3,
    "generation.do_sample": False,
    "generation.temperature": 0.5,
    "generation.top_k": 3,
    "generation.top_p": 0.5,
    "seed": 1,
    "device": "cpu",
    "environment": "mt-5.0.0",
    "clean": True,
    "guards.max_rate": {"TXT001": 0.5},
    "guards.min_bleu": 1,
    "guards.min_chrf": 1,
    "guards.min_token_ratio": 0.5,
    "guards.max_token_ratio": 2,
}
OTHER |= {
    key.replace("generation", "fallback"): v for key, v in OTHER.items() if key.startswith("generation.")
}
GOLDEN = "sha256:fe79a7ca2868b2487d8e6f5132888a31a70bab3b0270aa6b5fc369d854dbdd02"
SECTIONS = {"model", "languages", "codes", "data", "generation", "fallback", "guards"}
NOT_DIGESTED = {"title", "notes", "status", "output", "fallback"}


def nested(key: str, value: object) -> dict[str, object]:
    for part in reversed(key.split(".")):
        value = {part: value}
    return value


def test_the_table_names_every_key():
    assert set(OTHER) | SECTIONS == set(dotted_keys())


@pytest.mark.parametrize("key", sorted(key for key, value in OTHER.items() if value is not None))
def test_every_key_that_changes_what_is_run_is_digested(key):
    changed = GenerationSpec.model_validate(merge(CONTENT, nested(key, OTHER[key])))
    same = changed.digest == GenerationSpec.model_validate(CONTENT).digest
    assert same == (key.partition(".")[0] in NOT_DIGESTED)


def test_the_digest_is_what_journals_hold():
    """Entries that were written name this digest: a change of it makes known experiments look new."""
    assert GenerationSpec.model_validate(CONTENT).digest == GOLDEN


def test_it_can_be_computed_again_from_what_is_recorded():
    spec = GenerationSpec.model_validate(CONTENT)
    assert GenerationSpec.model_validate(json.loads(json.dumps(spec.resolved()))).digest == spec.digest


def test_writing_a_default_or_a_whole_float_changes_nothing():
    explicit = merge(CONTENT, {"seed": 0, "generation": {"repetition_penalty": 2, "max_length": None}})
    assert GenerationSpec.model_validate(explicit).digest == GenerationSpec.model_validate(CONTENT).digest


@settings(deadline=None, max_examples=50)
@given(st.randoms(use_true_random=False))
def test_the_order_of_keys_changes_nothing(random):
    def shuffled(value):
        if not isinstance(value, dict):
            return value
        keys = list(value)
        random.shuffle(keys)
        return {key: shuffled(value[key]) for key in keys}

    assert (
        GenerationSpec.model_validate(shuffled(CONTENT)).digest
        == GenerationSpec.model_validate(CONTENT).digest
    )


MAPS = st.recursive(
    st.dictionaries(st.sampled_from("abc"), st.integers() | st.none() | st.lists(st.integers())),
    lambda maps: st.dictionaries(st.sampled_from("abc"), maps | st.integers()),
    max_leaves=12,
)


@settings(deadline=None, max_examples=50)
@given(MAPS)
def test_merging_nothing_changes_nothing(one):
    assert merge(one, {}) == merge({}, one) == merge(one, one) == one


@settings(deadline=None, max_examples=50)
@given(MAPS, MAPS)
def test_what_is_merged_over_wins(one, two):
    merged = merge(one, two)
    assert set(merged) == set(one) | set(two)
    for key in merged:
        if not (isinstance(one.get(key), dict) and isinstance(two.get(key), dict)):
            assert merged[key] == (two[key] if key in two else one[key])
    assert merge(merged, two) == merged


@settings(deadline=None, max_examples=50)
@given(MAPS, MAPS)
def test_merging_leaves_its_arguments_alone(one, two):
    before = json.dumps([one, two])
    merge(one, two)
    assert json.dumps([one, two]) == before


@settings(deadline=None, max_examples=50)
@given(
    st.fixed_dictionaries({}, optional={key: st.sampled_from([value, None]) for key, value in OTHER.items()})
)
def test_extending_is_the_same_as_writing_it_all(changes):
    """Through real files: a base and a spec that extends it resolve as one file with the merged content."""
    over: dict[str, object] = {}
    for key, value in changes.items():
        if key not in ("task", "extends") and not key.endswith("max_new_tokens") and value is not None:
            over = merge(over, nested(key, value))
    with TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in {
            "base": CONTENT,
            "mine": {"extends": "base", **over},
            "flat": merge(CONTENT, over),
        }.items():
            with (folder / f"{file}.yaml").open("w", encoding="utf-8") as stream:
                YAML(typ="safe", pure=True).dump(content, stream)
        assert load_experiment("mine", folder).resolved() == load_experiment("flat", folder).resolved()
