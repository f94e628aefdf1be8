from dataclasses import replace

from guards.checkpoint.tensors import unlike_file as guard
from ledger.evidence.snapshot import Snapshot
from ledger.findings import Severity, Skip


def test_replaced_values_are_named_without_evidence_of_the_save(good):
    weights = replace(good.weights, unlike_file=("lm_head.weight",))
    (finding,) = guard.inspect(Snapshot(), replace(good, weights=weights))
    assert finding.severity is Severity.ERROR
    assert finding.message == "1 tensor with other values than the file stores: lm_head.weight"


def test_equal_values_pass(good):
    compared = replace(good, weights=replace(good.weights, unlike_file=()))
    assert list(guard.inspect(Snapshot(), compared)) == []


def test_a_comparison_that_was_not_made_is_a_skip(good):
    (skip,) = guard.inspect(good, good)
    assert isinstance(skip, Skip)
    assert not skip.required
