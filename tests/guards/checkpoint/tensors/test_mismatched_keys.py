from dataclasses import replace

import pytest

from guards.checkpoint.tensors import mismatched_keys as guard
from ledger.evidence.snapshot import Snapshot
from ledger.findings import Severity

HEAD = "lm_head.weight"
ENCODER = "model.encoder.embed_tokens.weight"
NOTHING_SAVED = Snapshot()


def reloaded(good, new=(), **reported):
    """The good model, reloaded with what from_pretrained reported; the tensors named `new` are random now."""
    digests = {
        name: f"sha256:{name}:random" if name in new else one for name, one in good.weights.digests.items()
    }
    ties = tuple(
        group for group in (tuple(n for n in g if n not in new) for g in good.weights.ties) if len(group) > 1
    )
    return replace(good, weights=replace(good.weights, digests=digests, ties=ties, **reported))


def errors(expected, actual):
    return [one for one in guard.inspect(expected, actual) if one.severity is Severity.ERROR]


@pytest.mark.parametrize("with_evidence", [True, False], ids=["own", "foreign"])
@pytest.mark.parametrize(
    ("new", "reported", "outcome"),
    [
        ((), {}, None),
        # Tied names are rightly absent from the file; some versions report them all the same.
        ((), {"missing": (HEAD, ENCODER)}, None),
        ((HEAD,), {"missing": (HEAD,)}, "1 tensor of 8 newly initialised: lm_head.weight"),
        (
            (HEAD,),
            {"mismatched": (HEAD,)},
            "1 tensor of 8 newly initialised: lm_head.weight; of another shape in the file: lm_head.weight",
        ),
        ((), {"unexpected": ("model.encoder.version",)}, None),
    ],
    ids=["clean", "tied", "new", "mismatched", "leftover"],
)
def test_what_is_new_is_named(good, with_evidence, new, reported, outcome):
    found = errors(good if with_evidence else NOTHING_SAVED, reloaded(good, new, **reported))
    assert [finding.message for finding in found] == ([outcome] if outcome else [])


def test_a_shared_matrix_of_another_shape_is_new(good):
    """The other names are not in the file, and the library reports none of them as missing."""
    (shared,) = {name for group in good.weights.ties for name in group} & {HEAD}
    (finding,) = errors(NOTHING_SAVED, reloaded(good, mismatched=(shared,)))
    assert finding.message.endswith(f"of another shape in the file: {HEAD}")


def test_a_missing_name_that_the_library_computes_is_fine_where_it_equals_the_save(good):
    assert list(guard.inspect(good, reloaded(good, missing=("final_logits_bias",)))) == []


def test_without_evidence_a_missing_name_is_new(good):
    assert errors(NOTHING_SAVED, reloaded(good, missing=("final_logits_bias",)))


def test_a_tied_name_that_holds_other_numbers_than_at_the_save_is_new(good):
    """All tied names are missing and share one random matrix: only the digests tell."""
    names = good.weights.ties[0]
    digests = {**good.weights.digests, **dict.fromkeys(names, "sha256:random")}
    actual = replace(good, weights=replace(good.weights, digests=digests, missing=names))
    (with_evidence,) = errors(good, actual)
    (without,) = errors(NOTHING_SAVED, actual)
    assert with_evidence.measured == without.measured == 3


def test_a_wrong_prefix_is_named(good):
    names = tuple(good.weights.digests)
    unexpected = tuple(f"module.{name}" for name in names)
    new, dropped = guard.inspect(good, reloaded(good, names, missing=names, unexpected=unexpected))
    assert new.message.startswith("8 tensors of 8 newly initialised: final_logits_bias, lm_head.weight, ")
    assert new.message.endswith(
        "and 2 more; the names in the file contain 'module.', which DataParallel or DDP adds"
    )
    assert dropped.message.startswith(
        "8 tensors of the file have no place in the model: module.final_logits_bias"
    )


def test_a_prefix_that_the_file_lacks_is_named_as_well(good):
    names = tuple(name for name in good.weights.digests if name.startswith("model."))
    unexpected = tuple(name.removeprefix("model.") for name in names)
    new, _ = guard.inspect(NOTHING_SAVED, reloaded(good, names, missing=names, unexpected=unexpected))
    assert new.message.endswith("differ by the prefix 'model.'")


def test_names_that_do_not_meet_otherwise_get_no_prefix(good):
    new, _ = guard.inspect(good, reloaded(good, (HEAD,), missing=(HEAD,), unexpected=("ssru.weight",)))
    assert "prefix" not in new.message


def test_a_file_that_holds_more_than_was_saved_is_a_note(good):
    (finding,) = guard.inspect(good, reloaded(good, unexpected=("classifier.weight",)))
    assert finding.severity is Severity.INFO


def test_dropped_tensors_of_an_unknown_save_are_an_error(good):
    (finding,) = guard.inspect(
        NOTHING_SAVED, reloaded(good, unexpected=("model.encoder.layers.1.fc1.weight",))
    )
    assert finding.severity is Severity.ERROR


@pytest.mark.parametrize(
    ("wrapped", "words"),
    [
        (lambda name: name.replace("layers.0.", "layers.0._orig_mod."), "'_orig_mod.', which torch.compile"),
        (lambda name: f"_orig_mod.{name}", "'_orig_mod.', which torch.compile"),
        (lambda name: name.replace("fc1.", "fc1.base_layer."), "'base_layer.', which PEFT"),
        (
            lambda name: name.replace(
                "layers.0.", "_fsdp_wrapped_module.layers.0._checkpoint_wrapped_module."
            ),
            "'_fsdp_wrapped_module.', which FSDP",
        ),
    ],
)
def test_a_wrapper_is_named_wherever_it_is_in_the_name(good, wrapped, words):
    names = tuple(name for name in good.weights.digests if ".layers." in name)
    unexpected = tuple(map(wrapped, names))
    new, _ = guard.inspect(NOTHING_SAVED, reloaded(good, names, missing=names, unexpected=unexpected))
    assert words in new.message


def test_another_shape_that_is_zero_on_both_sides_is_a_warning(good):
    """A Marian embedding that was padded: the file keeps the shorter bias, which is zero."""
    bias = ("final_logits_bias",)
    (finding,) = guard.inspect(NOTHING_SAVED, reloaded(good, mismatched=bias, mismatched_zeros=bias))
    assert finding.severity is Severity.WARNING
