import pytest

from ledger.environments.diff.settings import settings
from ledger.evidence.environment import EnvironmentSide


def side(sections, kind="run", **facts):
    return EnvironmentSide("a side", kind, settings=sections, **facts)


def found(before, after, kind="run", **facts):
    ranked = settings(side(before, kind, **facts), side(after))
    return [(one.name, one.before, one.after) for one in ranked]


def test_what_broke_a_reload_comes_first_whatever_section_it_is_in():
    before = {
        "model": {"forced_eos_token_id": 0, "tie_word_embeddings": True, "d_model": 8},
        "training": {"optim": "adamw_torch"},
    }
    after = {
        "model": {"tie_word_embeddings": False, "d_model": 16},
        "training": {"optim": "adafactor", "use_cache": False},
    }
    assert found(before, after) == [
        ("model.tie_word_embeddings", True, False),
        ("training.use_cache", None, False),
        ("model.forced_eos_token_id", 0, None),
        ("model.d_model", 8, 16),
        ("training.optim", "adamw_torch", "adafactor"),
    ]


@pytest.mark.parametrize(
    ("a", "b", "chosen"),
    [
        ({}, {}, ""),
        ({"training.learning_rate": 1e-3}, {"training.learning_rate": 2e-3}, "chosen"),
        ({"training.learning_rate": 1e-3}, {}, "chosen"),
        ({"training.learning_rate": 1e-3}, {"training.learning_rate": 1e-3}, "overridden"),
        ({"training.learning_rate": 5.0}, {}, "overridden"),
    ],
)
def test_what_a_spec_sets_and_did_not_get_is_told_from_what_it_chose(a, b, chosen):
    before, after = ({"training": {"learning_rate": rate}} for rate in (1e-3, 2e-3))
    (one,) = settings(side(before, chosen=a), side(after, chosen=b))
    assert one.chosen == chosen


def test_overridden_comes_before_nobodys_and_that_before_chosen():
    before = {"training": {"a": 1, "b": 1, "c": 1}}
    after = {"training": {"a": 2, "b": 2, "c": 2}}
    chosen = {"training.a": 1}, {"training.a": 2, "training.c": 1}
    ranked = settings(side(before, chosen=chosen[0]), side(after, chosen=chosen[1]))
    assert [one.name for one in ranked] == ["training.c", "training.b", "training.a"]


# A setting that one side does not have, and whether that can matter.
UNSET = [
    ("no_cuda", False, False),
    ("length_penalty", 1.0, False),
    ("min_length", 0, False),
    ("num_assistant_tokens", 20, False),
    ("save_safetensors", True, True),
    ("max_length", 20, True),
    ("pad_token_id", 0, True),
    ("use_cache", False, True),
]


@pytest.mark.parametrize(("name", "value", "hard"), UNSET)
def test_a_setting_that_is_gone_matters_unless_it_was_off(name, value, hard):
    for before, after in (({name: value}, {}), ({}, {name: value})):
        (one,) = settings(side({"training": before}), side({"training": after}))
        assert one.hard is hard


@pytest.mark.parametrize(("twin", "hard"), [((200, 200), False), ((200, 20), True), ((None, 200), True)])
def test_a_setting_that_moved_to_the_generation_config_is_no_loss(twin, hard):
    def sections(model, generation):
        return {"model": model, "generation": {} if generation is None else {"max_length": generation}}

    ranked = settings(side(sections({"max_length": 20}, twin[0])), side(sections({}, twin[1])))
    assert {one.name: one.hard for one in ranked}["model.max_length"] is hard


def test_where_files_go_is_left_out_and_so_are_sections_that_one_side_does_not_have():
    before = {"training": {"logging_dir": "a", "local_rank": 0}, "tokenizer": {"size": 5}}
    assert found(before, {"training": {"logging_dir": "b", "local_rank": -1}}) == []


def test_of_a_folder_only_what_it_says_is_compared():
    written, resolved = {"model": {"d_model": 8}}, {"model": {"d_model": 16, "dropout": 0.1}}
    assert found(written, resolved, "folder", partial=True) == [("model.d_model", 8, 16)]


def test_a_flat_configuration_is_held_against_training_over_model():
    flat = {"config": {"learning_rate": 1e-3, "d_model": 8, "use_cache": True, "mine": 1}}
    run = {
        "model": {"d_model": 8, "use_cache": True},
        "training": {"learning_rate": 2e-3, "use_cache": False},
    }
    assert found(flat, run, "wandb", partial=True) == [
        ("config.use_cache", True, False),
        ("config.learning_rate", 1e-3, 2e-3),
    ]


def test_what_a_spec_sets_is_known_in_a_flat_configuration_too():
    flat = side({"config": {"learning_rate": 1e-3}}, "wandb", partial=True)
    run = side({"model": {}, "training": {"learning_rate": 2e-3}}, chosen={"training.learning_rate": 2e-3})
    assert [one.chosen for one in settings(flat, run)] == ["chosen"]


def test_a_side_without_settings_has_none_to_differ():
    assert settings(side(None), side({"model": {"a": 1}})) == []
