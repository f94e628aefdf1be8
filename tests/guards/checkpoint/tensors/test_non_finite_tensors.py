from dataclasses import replace

import pytest

from guards.checkpoint.tensors import non_finite_tensors as guard
from ledger.evidence.snapshot import Snapshot
from ledger.findings import Severity

HEAD, BIAS = "lm_head.weight", "final_logits_bias"


def broken(good, *names):
    return replace(good, weights=replace(good.weights, not_finite=names))


@pytest.mark.parametrize(
    ("at_the_save", "now", "reported"),
    [
        ((), (), None),
        ((), (HEAD,), "1 tensor with NaN or infinity: lm_head.weight, finite at the save"),
        ((HEAD,), (HEAD,), "1 tensor with NaN or infinity: lm_head.weight, as already at the save"),
        (
            (HEAD,),
            (HEAD, BIAS),
            "2 tensors with NaN or infinity: final_logits_bias, lm_head.weight, "
            "1 of them already at the save",
        ),
    ],
)
def test_broken_tensors_are_named_with_when_they_broke(good, at_the_save, now, reported):
    found = list(guard.inspect(broken(good, *at_the_save), broken(good, *now)))
    assert [(one.severity, one.message) for one in found] == (
        [(Severity.ERROR, reported)] if reported else []
    )


def test_a_foreign_checkpoint_is_inspected_as_well(good):
    (finding,) = guard.inspect(Snapshot(), broken(good, HEAD))
    assert finding.message == "1 tensor with NaN or infinity: lm_head.weight"


def test_logits_that_are_not_finite_are_an_error_of_their_own(good):
    forward = replace(good.forward, dtype="float16", not_finite="NaN at 48 of 48 positions")
    (finding,) = guard.inspect(Snapshot(), replace(good, forward=forward))
    assert finding.severity is Severity.ERROR
    assert finding.message == (
        "the logits are not finite: NaN at 48 of 48 positions, computed in float16; every tensor is finite"
    )


def test_a_model_that_cannot_run_is_no_pass(good):
    broken = replace(good, forward=None, unseen={"forward": "index out of range"})
    (skip,) = guard.inspect(Snapshot(), broken)
    assert (skip.reason, skip.required) == ("index out of range", True)


def test_tensors_without_a_model_to_run_are_inspected_alone(good):
    assert list(guard.inspect(good, replace(good, forward=None, effective=None))) == []


@pytest.mark.parametrize(("of", "severity"), [(2, Severity.ERROR), (40, Severity.WARNING)])
def test_matrices_of_zeros_are_named_where_there_is_no_evidence(good, of, severity):
    shapes = {f"{at}.weight": (4, 4) for at in range(of)} | {"bias": (1, 4), "norm": (4,)}
    names = ("0.weight", "1.weight")
    zero = replace(good, weights=replace(good.weights, shapes=shapes, zeros=names))
    (finding,) = guard.inspect(Snapshot(), zero)
    message = f"2 of {of} matrices hold nothing but zeros: 0.weight, 1.weight"
    assert (finding.severity, finding.message) == (severity, message)
    assert list(guard.inspect(good, zero)) == []  # their digests are compared
