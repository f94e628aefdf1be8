"""Exploding and vanishing gradient norms."""

import pytest

from guards.training import exploding_gradients, vanishing_gradients
from ledger.evidence.training import TrainingLimits, TrainingPoint, TrainingSeries
from ledger.findings import Skip

NAN, INF = float("nan"), float("inf")
USUAL = [0.5] * 20


def look(guard, norms, losses=None, scale=None):
    losses = losses or [None] * len(norms)
    points = tuple(
        TrainingPoint(step, loss, norm, amp_scale=scale)
        for step, (norm, loss) in enumerate(zip(norms, losses, strict=True), start=1)
    )
    return list(guard.inspect(TrainingLimits(), TrainingSeries(points)))


@pytest.mark.parametrize(
    ("norms", "step"),
    [
        pytest.param([*USUAL, 50.1, 0.5], 21, id="a hundred times, once"),
        pytest.param([*USUAL, 6.0, 7.0, 6.0, 0.5], 22, id="ten times, three in a row"),
        pytest.param([1.0, *[1e6] * 6], 7, id="from the second step on"),
        pytest.param([*USUAL, NAN, NAN, NAN, 0.5], 21, id="not finite, three in a row"),
        pytest.param([*USUAL, INF], 21, id="not finite at the end"),
    ],
)
def test_an_explosion(norms, step):
    (finding,) = look(exploding_gradients, norms)
    assert finding.evidence["step"] == step


@pytest.mark.parametrize(
    ("norms", "scale"),
    [
        pytest.param([*USUAL, 6.0, 6.0, 0.5], None, id="two odd batches"),
        pytest.param([*USUAL, 6.0, 0.5, 6.0, 0.5, 6.0], None, id="three, but not in a row"),
        pytest.param([30.0, 12.0, 5.0, *USUAL], None, id="large at the start"),
        pytest.param([0.0] * 15 + [1.0], None, id="out of nothing"),
        pytest.param([INF] * 15 + USUAL, 65536.0, id="AMP looks for its scale"),
        pytest.param([*USUAL, NAN, 0.5], None, id="one step that AMP left out"),
        pytest.param([0.5 * 1.03**n for n in range(200)], None, id="a slow rise"),
        pytest.param([30000.0, 28000.0] * 10, None, id="norms with the AMP scale in them"),
    ],
)
def test_no_explosion(norms, scale):
    assert look(exploding_gradients, norms, scale=scale) == []


def test_a_search_for_the_scale_that_never_ends_is_reported():
    assert len(look(exploding_gradients, [0.5, *[INF] * 16, 0.5], scale=1.0)) == 1


V57 = [0.02, 0.03, 0.04, 0.025, 0.035] * 4


def test_the_norms_of_the_run_that_learned_nothing_are_flagged():
    (finding,) = look(vanishing_gradients, V57, [1.0] * 20)
    assert finding.message == (
        "the median gradient norm of the last 20 points is 0.03 (0.02 to 0.04), below 0.05, "
        "while the loss is 1 and began at 1"
    )


@pytest.mark.parametrize(
    ("norms", "losses", "flagged"),
    [
        pytest.param(V57, None, True, id="no loss was logged"),
        pytest.param(V57, [2.0] * 10 + [0.8] * 10, False, id="learned: the loss is less than half"),
        pytest.param(V57, [2.0] * 10 + [1.2] * 10, True, id="hardly learned"),
        pytest.param([0.0] * 20, [2.0] * 10 + [0.8] * 10, True, id="cut off from the loss"),
        pytest.param([0.0] * 20, [2.0] * 10 + [0.001] * 10, False, id="overfitted"),
        pytest.param([0.3, 0.9, 0.1, 0.5] * 5, [2.0] * 20, False, id="usual norms in float32"),
        pytest.param([0.6] * 60 + [0.02] * 10, [2.0] * 70, False, id="most of the window is fine"),
    ],
)
def test_vanishing(norms, losses, flagged):
    assert bool(look(vanishing_gradients, norms, losses)) is flagged


@pytest.mark.parametrize("guard", [exploding_gradients, vanishing_gradients])
def test_without_norms_both_are_skipped(guard):
    (skip,) = look(guard, [None, None])
    assert isinstance(skip, Skip)
