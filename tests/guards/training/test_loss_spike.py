import pytest

from guards.training import loss_spike
from ledger.evidence.training import TrainingLimits, TrainingPoint, TrainingSeries
from ledger.findings import Skip

NOISY = [2.0, 2.1, 1.9, 2.05, 1.95] * 6


def look(losses, limits=None):
    points = tuple(TrainingPoint(step, loss) for step, loss in enumerate(losses, start=1))
    return list(loss_spike.inspect(limits or TrainingLimits(), TrainingSeries(points)))


def test_a_spike_that_recovers():
    (finding,) = look([*NOISY, 6.0, *NOISY])
    assert finding.message == (
        "the loss is 6 at step 31, 3.0 times the 2 of the points before it (1 such point); it recovered"
    )


def test_a_spike_that_stays():
    (finding,) = look([*NOISY, *[6.0] * 12])
    assert finding.message.endswith("it has not recovered: now 6")
    assert finding.evidence["came_back"] is False


def test_a_divergence_before_there_is_a_window():
    (finding,) = look([2.3, 5e5, 4e5, 3e5, 3e5])
    assert "diverges" in finding.message


@pytest.mark.parametrize(
    "losses",
    [
        pytest.param([*NOISY, 2.9, *NOISY], id="less than half above"),
        pytest.param([1.0, 4.0] * 20, id="as wild as ever"),
        pytest.param([*[0.0001] * 20, 0.0003, 0.0001], id="rounding"),
        pytest.param([0.0, 0.0001, 0.005, 0.008, 0.006], id="rounding, at the start"),
        pytest.param([10 / n for n in range(1, 80)], id="coming down"),
    ],
)
def test_no_spike(losses):
    assert look(losses) == []


def test_the_limits_can_be_set():
    losses = [*NOISY, 2.9, *NOISY]
    assert look(losses, TrainingLimits(spike_rise=0.2))
    assert look([*NOISY, 6.0], TrainingLimits(spike_deviations=1000)) == []


def test_too_few_losses_are_skipped():
    assert look([1.0, 2.0, 3.0]) == [Skip("TRN004", "too few losses were logged")]
