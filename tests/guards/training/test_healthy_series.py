"""A healthy series is never flagged; one fault put into it always is, by the guard for that fault."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guards.training import loss_spike
from ledger.evidence.training import TrainingLimits, TrainingSeries

SEEDS = st.integers(0, 10**6)
NOISE = st.floats(0, 0.2)
COUNT = 120
AFTER_THE_START = st.integers(TrainingLimits().least_points, COUNT - 1)


@given(seed=SEEDS, noise=NOISE, count=st.integers(1, 300), scale=st.floats(0.1, 1000))
def test_a_noisy_curve_that_comes_down_is_not_flagged(healthy, look, seed, noise, count, scale):
    assert look(healthy(count, seed=seed, noise=noise, scale=scale)) == {}


@given(seed=SEEDS, noise=NOISE, index=st.integers(0, COUNT - 1))
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_one_loss_that_is_not_finite_is_flagged(healthy, change, look, value, seed, noise, index):
    found = look(change(healthy(COUNT, seed=seed, noise=noise), index, loss=value))
    assert list(found) == ["TRN001"]
    assert found["TRN001"].evidence["first_step"] == 10 * (index + 1)


@given(seed=SEEDS, noise=NOISE, index=AFTER_THE_START, times=st.floats(10, 1e6))
def test_one_spike_is_flagged(healthy, change, look, seed, noise, index, times):
    points = healthy(COUNT, seed=seed, noise=noise)
    # Relative to the curve's highest value: ten times a low value late in a steep curve is not a spike.
    found = look(change(points, index, loss=times * max(point.loss for point in points)))
    assert list(found) == ["TRN004"]
    assert found["TRN004"].evidence["steps"] == [10 * (index + 1)]


@given(seed=SEEDS, index=AFTER_THE_START, times=st.floats(160, 1e9))
def test_one_explosion_is_flagged(healthy, change, look, seed, index, times):
    points = healthy(COUNT, seed=seed)
    found = look(change(points, index, grad_norm=times))
    assert list(found) == ["TRN002"]
    assert found["TRN002"].evidence["step"] == 10 * (index + 1)


@given(seed=SEEDS, index=st.integers(0, COUNT - 1), scale=st.floats(0, 0.999))
def test_one_scale_that_is_too_low_is_flagged(healthy, change, look, seed, index, scale):
    assert list(look(change(healthy(COUNT, seed=seed), index, amp_scale=scale))) == ["TRN005"]


@given(
    losses=st.lists(st.floats(1.0, 100.0), min_size=20, max_size=80),
    factor=st.sampled_from([0.125, 0.5, 2.0, 1024.0]),
)
def test_spikes_are_the_same_whatever_the_loss_is_scaled_with(healthy, losses, factor):
    """Powers of two scale without rounding; all losses stay above what the Trainer's rounding hides."""
    points = [replace(p, loss=loss) for p, loss in zip(healthy(len(losses)), losses, strict=True)]
    scaled = [replace(p, loss=p.loss * factor) for p in points]
    one, two = (
        list(loss_spike.inspect(TrainingLimits(), TrainingSeries(tuple(p)))) for p in (points, scaled)
    )
    assert [f.evidence.get("steps") for f in one] == [f.evidence.get("steps") for f in two]
