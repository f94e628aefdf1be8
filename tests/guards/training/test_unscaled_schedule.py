from dataclasses import replace

import pytest

from guards.training import unscaled_schedule
from ledger.evidence.training import TrainingPlan
from ledger.findings import Skip

# A T5-large fine-tuning as it was kept: 2% of the data, then 10% with nothing else changed, then with a
# higher learning rate and a shorter warm-up. Batches an epoch, warm-up in epochs, no accumulation.
V56 = TrainingPlan(
    run="v56",
    batches=970,
    epochs=6,
    steps=6 * 970,
    warmup_steps=3 * 970,
    learning_rate=2.0e-5,
    precision="fp32",
)
V57 = replace(V56, run="v57", batches=4850, steps=6 * 4850, warmup_steps=3 * 4850)
V58 = replace(V57, run="v58", epochs=7, steps=7 * 4850, warmup_steps=4850, learning_rate=3.0e-5)

# The best Marian run: batch 128 twice accumulated, 10 epochs; a warm-up of 18.7%.
GOOD = TrainingPlan(
    run="good",
    train_examples=546_857,
    batch_size=128,
    accumulation=2,
    epochs=10,
    steps=21_370,
    warmup_steps=4000,
    learning_rate=3e-4,
)


def look(before, after):
    return list(unscaled_schedule.inspect(before, after))


def test_five_times_the_data_under_the_old_schedule_is_flagged_with_the_numbers():
    (finding,) = look(V56, V57)
    assert finding.message == (
        "data grew 5 times since v56 (970 batches per epoch -> 4,850 batches per epoch), but the warm-up of "
        "3 epochs (2,910 steps, 50.0% -> 14,550 steps, 50.0%) and the learning rate of 2e-05 did not change"
    )
    assert finding.measured == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(V56, V58, id="learning rate and warm-up were scaled"),
        pytest.param(V57, V58, id="against the run that failed"),
        pytest.param(V56, replace(V57, learning_rate=3e-5), id="the learning rate alone was"),
        pytest.param(V56, replace(V57, warmup_steps=4850), id="the warm-up alone was"),
        pytest.param(
            GOOD, replace(GOOD, run="again", train_examples=546_881), id="18.7% again, the same data"
        ),
        pytest.param(GOOD, replace(GOOD, batch_size=96, steps=28_490), id="a smaller batch"),
        pytest.param(replace(GOOD, warmup_steps=1000), GOOD, id="a longer warm-up alone"),
        pytest.param(GOOD, replace(GOOD, batch_size=64, accumulation=4), id="the same batch, cut otherwise"),
        pytest.param(
            GOOD, replace(GOOD, train_examples=5 * 546_857, epochs=2), id="fewer epochs over more data"
        ),
        pytest.param(
            GOOD, replace(GOOD, train_examples=800_000, steps=31_250), id="less than half as much again"
        ),
    ],
)
def test_what_is_no_fault(before, after):
    assert look(before, after) == []


@pytest.mark.parametrize(
    ("after", "unchanged"),
    [
        (replace(GOOD, train_examples=2_734_285, steps=106_850), "4,000 steps"),
        (replace(GOOD, train_examples=2_734_285, steps=106_850, warmup_steps=20_000), "0.187"),
        (replace(GOOD, accumulation=8, steps=5_342), "4,000 steps"),
        (replace(GOOD, batch_size=512, steps=5_342, warmup_steps=1_000), "epochs"),
    ],
)
def test_unchanged_means_in_steps_in_epochs_or_in_share(after, unchanged):
    (finding,) = look(GOOD, after)
    if unchanged == "0.187":
        assert "the warm-up of 1.87 epochs" in finding.message
    else:
        assert unchanged in finding.message


def test_both_may_have_grown():
    twice = replace(GOOD, train_examples=2 * 546_857, batch_size=256)
    (finding,) = look(GOOD, twice)
    assert finding.message.startswith("batch grew 2 times")
    (finding,) = look(GOOD, replace(twice, steps=42_740))
    assert finding.message.startswith("data grew 2 times and batch grew 2 times")


@pytest.mark.parametrize(
    "after",
    [
        TrainingPlan(run="x"),
        TrainingPlan(run="x", warmup_steps=3, learning_rate=1e-4),
        TrainingPlan(run="x", warmup_steps=3, train_examples=9),
    ],
)
def test_what_is_not_known_is_skipped(after):
    (skip,) = look(GOOD, after)
    assert isinstance(skip, Skip)
    assert "good" in skip.reason
