from dataclasses import replace

import pytest

from guards.checkpoint.behaviour import changed_logits as guard
from guards.checkpoint.tensors.precision import TOLERANCE
from ledger.findings import Severity

BF16 = TOLERANCE["bfloat16"]
FP32 = TOLERANCE["float32"]
NAN = float("nan")


def with_logits(snapshot, difference=0.0, **parts):
    """The same forward pass, its logits apart by `difference`."""
    digest = "sha256:other" if difference is None or difference != 0 else snapshot.forward.logits_digest
    forward = replace(snapshot.forward, logits_digest=digest, max_difference=difference)
    return replace(snapshot, forward=replace(forward, **parts))


def cast(snapshot, dtype="bfloat16"):
    digests = {name: f"{one}:{dtype}" for name, one in snapshot.weights.digests.items()}
    dtypes = dict.fromkeys(digests, dtype)
    return replace(snapshot, weights=replace(snapshot.weights, digests=digests, dtypes=dtypes))


def noisy(snapshot):
    digests = {name: f"{one}:noise" for name, one in snapshot.weights.digests.items()}
    return replace(snapshot, weights=replace(snapshot.weights, digests=digests))


def scaled(snapshot):
    model = {**snapshot.effective.model, "scale_embedding": False}
    return replace(snapshot, effective=replace(snapshot.effective, model=model))


def with_torch(snapshot, version):
    return replace(snapshot, origin=replace(snapshot.origin, versions={"torch": version}))


@pytest.mark.parametrize(
    ("change", "severity"),
    [
        (with_logits, None),
        # The same type and device: equality.
        (lambda good: with_logits(noisy(good), 1e-6), Severity.ERROR),
        (lambda good: with_logits(scaled(good), 1e-6), Severity.ERROR),
        (lambda good: with_logits(replace(good, weights=None), 1e-6), Severity.ERROR),
        (lambda good: with_logits(good, 1e-6), Severity.WARNING),
        (lambda good: with_logits(good, 10 * FP32), Severity.ERROR),
        (lambda good: with_logits(good, NAN), Severity.ERROR),
        (lambda good: with_logits(good, float("inf")), Severity.ERROR),
        # Another device, another torch: the tolerance of the type.
        (lambda good: with_logits(good, FP32 / 2, device="cuda"), Severity.INFO),
        (lambda good: with_logits(good, FP32 * 2, device="cuda"), Severity.ERROR),
        (lambda good: with_logits(with_torch(good, "2.9.0"), FP32 / 2), Severity.INFO),
        # A model that was trained under bfloat16 autocast, computed in float32 once reloaded.
        (lambda good: with_logits(good, 0.03, dtype="bfloat16"), Severity.INFO),
        # A bfloat16 file that was loaded as float32: same type of the pass, cast tensors.
        (lambda good: with_logits(cast(good), BF16 / 2), Severity.INFO),
        (lambda good: with_logits(cast(good), BF16 * 2), Severity.ERROR),
        # No logits were kept: the loss decides.
        (lambda good: with_logits(good, None, loss=1.26), Severity.ERROR),
        (lambda good: with_logits(cast(good), None, loss=1.26), Severity.INFO),
        # The logits are equal, and the loss is made of them.
        (lambda good: with_logits(good, loss=1.25000001), None),
        (lambda good: with_logits(good, loss=1.5), Severity.WARNING),
    ],
)
def test_what_is_demanded_of_the_logits(good, change, severity):
    found = [finding.severity for finding in guard.inspect(good, change(good))]
    assert found == ([severity] if severity is not None else [])


def test_the_difference_is_reported_with_its_tolerance_and_why(good):
    (finding,) = guard.inspect(good, with_logits(cast(good), BF16 / 2, device="cuda", loss=1.27))
    assert finding.message == (
        f"logits differ by up to {BF16 / 2:.3g} "
        f"(tolerance {BF16:g}: on cuda, on cpu at the save, tensors cast); "
        "the loss is 1.2700 and was 1.2500 at the save"
    )
    assert (finding.measured, finding.threshold) == (BF16 / 2, BF16)


def test_the_message_names_the_requirement_of_equality(good):
    (finding,) = guard.inspect(good, with_logits(scaled(good), 8.5, loss=9.5))
    assert finding.message == (
        "logits differ by up to 8.5 (equality is required: same data type and device); "
        "the loss is 9.5000 and was 1.2500 at the save; "
        "the configuration differs in scale_embedding (True -> False)"
    )
    assert finding.threshold == 0.0


def test_a_setting_that_only_one_version_knows_is_no_difference(good):
    newer = replace(
        good, effective=replace(good.effective, model={**good.effective.model, "dtype": "float32"})
    )
    (finding,) = guard.inspect(good, with_logits(newer, 1e-6))
    assert finding.severity is Severity.WARNING


def test_non_finite_values_can_be_written_as_json(good):
    (finding,) = guard.inspect(good, with_logits(good, NAN, loss=NAN))
    assert finding.to_json()["measured"] == "nan"
    assert finding.evidence["loss"] == {"before": 1.25, "after": "nan"}


def test_the_same_nan_on_both_sides_is_the_same(good):
    assert list(guard.inspect(with_logits(good, loss=NAN), with_logits(good, loss=NAN))) == []
