from dataclasses import replace

import pytest

from guards.checkpoint.tensors import changed_tensors as guard
from ledger.findings import Severity

HEAD = "lm_head.weight"
DECODER = "model.decoder.embed_tokens.weight"
ENCODER = "model.encoder.embed_tokens.weight"
TIED = (HEAD, DECODER, ENCODER)
OWN = {HEAD: "sha256:head", DECODER: "sha256:decoder", ENCODER: "sha256:encoder"}


def with_weights(snapshot, **parts):
    """`digests` are added to those that are there; other parts are replaced."""
    if "digests" in parts:
        parts["digests"] = {**snapshot.weights.digests, **parts["digests"]}
    return replace(snapshot, weights=replace(snapshot.weights, **parts))


@pytest.fixture(scope="session")
def untied(good):
    """The same model, its three matrices trained apart."""
    return with_weights(good, digests=OWN, ties=())


def test_matrices_that_collapsed_into_one_are_named(good, untied):
    retied = with_weights(untied, digests=dict.fromkeys(TIED, "sha256:decoder"), ties=(TIED,))
    (finding,) = guard.inspect(untied, retied)
    assert finding.severity is Severity.ERROR
    assert finding.message == (
        "lm_head.weight, model.decoder.embed_tokens.weight and model.encoder.embed_tokens.weight "
        "are now one matrix and were 3 at the save; "
        "2 tensors of 8 changed: lm_head.weight, model.encoder.embed_tokens.weight"
    )
    assert finding.evidence["collapsed"] == [sorted(TIED)]


def test_a_collapse_shows_through_a_cast(untied):
    dtypes = dict.fromkeys(untied.weights.dtypes, "bfloat16")
    digests = {name: f"sha256:cast:{name}" for name in untied.weights.digests} | dict.fromkeys(
        TIED, "sha256:one"
    )
    error, note = guard.inspect(untied, with_weights(untied, digests=digests, dtypes=dtypes, ties=(TIED,)))
    assert error.message.endswith("are now one matrix and were 3 at the save")
    assert note.severity is Severity.INFO


def test_a_tied_matrix_that_parted_is_named(good):
    parted = with_weights(good, digests={HEAD: "sha256:random"}, ties=((DECODER, ENCODER),))
    (finding,) = guard.inspect(good, parted)
    assert (
        "were one matrix at the save and are now 2; 1 tensor of 8 changed: lm_head.weight" in finding.message
    )
    assert finding.evidence["parted"] == [sorted(TIED)]


def test_newly_initialised_tensors_of_equal_numbers_are_not_called_one_matrix(good):
    """Zero biases of one shape have one digest; that is no tie."""
    biases = [name for name in good.weights.digests if name.endswith("fc1.bias")]
    (finding,) = guard.inspect(good, with_weights(good, digests=dict.fromkeys(biases, "sha256:zeros")))
    assert finding.evidence["collapsed"] == []
    assert finding.measured == 2


def test_a_tie_that_was_lost_without_changing_a_value_is_a_note(good):
    (finding,) = guard.inspect(good, with_weights(good, ties=()))
    assert finding.severity is Severity.INFO
    assert "share storage on one side only" in finding.message


def test_a_cast_is_a_note(good):
    """bfloat16 of a good file: BLEU 98.2 became 97.8. The logits tell whether a cast does harm."""
    digests = {name: f"sha256:cast:{value}" for name, value in good.weights.digests.items()}
    dtypes = dict.fromkeys(good.weights.dtypes, "bfloat16")
    (finding,) = guard.inspect(good, with_weights(good, digests=digests, dtypes=dtypes))
    assert finding.severity is Severity.INFO
    assert finding.message.startswith("8 tensors cast (float32 -> bfloat16)")


def test_another_shape_is_no_cast(good):
    name = "final_logits_bias"
    changed = with_weights(
        good,
        digests={name: "sha256:short"},
        dtypes={**good.weights.dtypes, name: "bfloat16"},
        shapes={**good.weights.shapes, name: (511,)},
    )
    (finding,) = guard.inspect(good, changed)
    assert finding.severity is Severity.ERROR


def test_noise_on_every_tensor_is_reported_although_no_text_may_change(good):
    noisy = with_weights(good, digests={name: f"{one}:noise" for name, one in good.weights.digests.items()})
    (finding,) = guard.inspect(good, replace(noisy, weights=replace(noisy.weights, ties=())))
    assert finding.severity is Severity.ERROR
    assert finding.measured == 8
    assert finding.message.endswith("and 2 more")


def test_a_lost_alias_of_a_tensor_that_is_there_is_not_lost(good):
    digests = {name: one for name, one in good.weights.digests.items() if name != ENCODER}
    fewer = replace(good, weights=replace(good.weights, digests=digests, ties=((HEAD, DECODER),)))
    assert [one.severity for one in guard.inspect(good, fewer)] == [Severity.INFO]


def test_a_tensor_that_the_save_had_not_is_a_warning(good):
    (finding,) = guard.inspect(good, with_weights(good, digests={"adapter.weight": "sha256:adapter"}))
    assert finding.severity is Severity.WARNING
    assert finding.message == "1 tensor not in the saved model: adapter.weight"
