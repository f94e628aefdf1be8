import pytest

from guards.training import contradicted_setting
from ledger.evidence.training import TrainingLimits, TrainingPoint, TrainingSeries
from ledger.findings import Skip

RATES = [1e-5, 5e-5, 4e-5, 2e-5, 0.0]


def look(declared, rates=RATES, logged=None):
    points = tuple(TrainingPoint(10 * step, 1.0, learning_rate=rate) for step, rate in enumerate(rates, 1))
    series = TrainingSeries(points, declared=declared, logged=logged or {})
    return list(contradicted_setting.inspect(TrainingLimits(), series))


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        (1e-5, "learning_rate is stated as 1e-05, and the highest that was logged is 5e-05"),
        (2e-4, "learning_rate is stated as 0.0002, and the highest that was logged is 5e-05"),
    ],
)
def test_another_learning_rate(stated, message):
    (finding,) = look({"learning_rate": stated})
    assert finding.message == message


@pytest.mark.parametrize(
    ("declared", "rates"),
    [
        pytest.param({"learning_rate": 5e-5}, RATES, id="as stated"),
        pytest.param({"learning_rate": 5.02e-5}, RATES, id="rounded"),
        pytest.param({"learning_rate": 2e-4}, [1e-5, 2e-5, 3e-5], id="still warming up"),
        pytest.param({"max_steps": 50}, RATES, id="as many steps"),
    ],
)
def test_what_agrees(declared, rates):
    assert look(declared, rates) == []


def test_steps_and_batch_size():
    assert "the log goes on to step 50" in look({"max_steps": 40})[0].message
    assert look({"per_device_train_batch_size": 8}, logged={"per_device_train_batch_size": 16}) == [], (
        "two GPUs"
    )
    assert look({"max_steps": -1}, logged={"max_steps": 180}) == [], "by epochs"
    (finding,) = look({"per_device_train_batch_size": 16}, logged={"per_device_train_batch_size": 8})
    assert finding.message == "per_device_train_batch_size is stated as 16, and the log has 8"


def test_nothing_stated_is_skipped():
    (skip,) = look({"optim": "adamw_torch"})
    assert isinstance(skip, Skip)
