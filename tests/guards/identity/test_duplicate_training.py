import pytest

from guards.identity import duplicate_training
from ledger.evidence.identity import TrainingHistory, TrainingIdentity
from ledger.findings import Skip

ROUNDED = [(100 * n, round(2.0 * 0.9**n, 4)) for n in range(1, 13)]
EXACT = [(n, 2.0 * 0.97**n + 1e-9) for n in range(1, 13)]


def look(losses, other, settings=None, other_settings=None, experiment="lr_1e-5"):
    earlier = TrainingIdentity("lr_5e-5-a1b2c3", "lr_5e-5", tuple(other), other_settings or {})
    actual = TrainingIdentity("lr_1e-5-d4e5f6", experiment, tuple(losses), settings or {})
    return list(duplicate_training.inspect(TrainingHistory((earlier,)), actual))


def test_the_same_training_under_two_names():
    (finding,) = look(ROUNDED, ROUNDED, {"learning_rate": 1e-5}, {"learning_rate": 5e-5})
    assert finding.message == (
        "the first 12 losses are those of lr_5e-5-a1b2c3, up to step 1,200; the stated settings differ in "
        "learning_rate (5e-05 -> 1e-05)"
    )


def test_a_training_that_parts_later_is_one_all_the_same():
    (finding,) = look([*ROUNDED[:8], *((s, loss + 0.01) for s, loss in ROUNDED[8:])], ROUNDED)
    assert finding.measured == 8


@pytest.mark.parametrize(
    ("losses", "other"),
    [
        pytest.param(ROUNDED, [(s, loss + 0.0001) for s, loss in ROUNDED], id="other losses"),
        pytest.param(ROUNDED, [(s + 1, loss) for s, loss in ROUNDED], id="other steps"),
        pytest.param(
            [(s // 100, v) for s, v in ROUNDED], [(s // 100, v) for s, v in ROUNDED], id="rounded, 12 steps"
        ),
        pytest.param([(s, 0.5) for s, _ in ROUNDED], [(s, 0.5) for s, _ in ROUNDED], id="one value"),
    ],
)
def test_what_is_no_evidence(losses, other):
    assert look(losses, other) == []


def test_exact_losses_need_no_50_steps():
    assert len(look(EXACT, EXACT)) == 1


def test_a_repetition_with_the_same_settings_is_fine():
    assert look(ROUNDED, ROUNDED, experiment="lr_5e-5") == []


def test_a_short_log_is_skipped():
    (skip,) = look(ROUNDED[:4], ROUNDED)
    assert isinstance(skip, Skip)
