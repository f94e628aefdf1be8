import pytest

from guards.training import nothing_learned
from ledger.evidence.training import TrainingLimits, TrainingPoint, TrainingSeries
from ledger.findings import Severity, Skip


def look(losses, rates=None, **fields):
    points = tuple(
        TrainingPoint(step, loss, learning_rate=rates and rates[step - 1])
        for step, loss in enumerate(losses, start=1)
    )
    return list(nothing_learned.inspect(TrainingLimits(), TrainingSeries(points, **fields)))


def test_a_loss_that_stays_is_information():
    (finding,) = look([2.0, 2.05] * 15)
    assert finding.severity is Severity.INFO
    assert "the loss is where it began: 2.025" in finding.message


@pytest.mark.parametrize(
    "losses",
    [
        pytest.param([2.0 * 0.98**n for n in range(30)], id="falls"),
        pytest.param([0.004] * 30, id="below what the log resolves"),
        pytest.param([*[2.0] * 10, *[1.0] * 10, *[2.0] * 10], id="had learned, and lost it: TRN004"),
    ],
)
def test_what_is_not_named(losses):
    assert look(losses) == []


def test_a_short_log_is_skipped():
    (skip,) = look([2.0] * 19)
    assert isinstance(skip, Skip)


def test_a_reward_is_judged_instead_of_the_loss():
    rising = tuple((step, 0.3 + step / 100) for step in range(1, 31))
    assert look([0.001, -0.001] * 15, rewards=rising) == []
    (finding,) = look([2.0 * 0.9**n for n in range(30)], rewards=tuple((s, 0.4) for s in range(1, 31)))
    assert "the reward is where it began" in finding.message


def test_a_constant_rate_where_a_schedule_was_asked_for():
    falling, rates = [2.0 * 0.98**n for n in range(30)], [5e-5] * 30
    (finding,) = look(falling, rates, declared={"lr_scheduler_type": "cosine"})
    assert "the settings ask for a cosine schedule" in finding.message
    assert look(falling, rates, declared={"lr_scheduler_type": "constant"}) == []
    assert look(falling, rates) == []
