import pytest

from guards.training import non_finite_loss
from ledger.evidence.training import TrainingLimits, TrainingPoint, TrainingSeries
from ledger.findings import Severity, Skip

NAN, INF = float("nan"), float("inf")


def look(*rows, filtered=True):
    """`rows` are losses, or (loss, gradient norm)."""
    pairs = [row if isinstance(row, tuple) else (row, 0.5) for row in rows]
    points = tuple(TrainingPoint(step, loss, norm) for step, (loss, norm) in enumerate(pairs, start=1))
    return list(non_finite_loss.inspect(TrainingLimits(), TrainingSeries(points, filtered=filtered)))


@pytest.mark.parametrize(
    ("rows", "severity", "first"),
    [
        pytest.param([2.0, NAN, 1.9], Severity.ERROR, 2, id="nan"),
        pytest.param([2.0, 1.9, INF], Severity.ERROR, 3, id="inf"),
        pytest.param([2.3, 2.1, 0.0, 0.0, 0.0], Severity.ERROR, 3, id="filtered to zero"),
        pytest.param([2.3, 2.1, 0.0, 2.0], Severity.ERROR, 3, id="one row filtered"),
        pytest.param([0.004, 0.0, (0.0, NAN)], Severity.ERROR, 3, id="zero with a NaN norm"),
        pytest.param([(0.0, NAN), (0.0, NAN)], Severity.ERROR, 1, id="NaN from the first step"),
        pytest.param([(0.0, None), (0.0, None)], Severity.WARNING, 1, id="zero from the first step, no norm"),
        pytest.param([2.0, *[1.5] * 5], Severity.WARNING, 2, id="constant"),
    ],
)
def test_what_is_flagged(rows, severity, first):
    (finding,) = look(*rows)
    assert (finding.severity, finding.evidence["first_step"]) == (severity, first)


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([2.0, 1.0, 0.5], id="healthy"),
        pytest.param([0.5, 0.05, 0.004, 0.0003, 0.0, 0.0], id="overfitted, and rounded"),
        pytest.param([0.0001] * 9, id="rounded values repeat"),
        pytest.param([0.0, 0.0, 0.0], id="resumed when all was learned"),
        pytest.param([2.0, *[1.5] * 4, 1.4], id="four equal rows"),
    ],
)
def test_what_is_not(rows):
    assert look(*rows) == []


def test_an_unfiltered_zero_is_a_zero():
    assert look(2.3, 0.0, 0.0, filtered=False) == []


def test_the_message_names_the_step_and_the_filter():
    (finding,) = look(2.3, 2.125, 0.0, 0.0)
    assert finding.message == (
        "the loss reads exactly 0.0 after 2.125 from step 3 on: the Trainer's filter "
        "hides NaN (2 of 4 points)"
    )


def test_without_losses_it_is_skipped():
    assert look((None, 0.5)) == [Skip("TRN001", "no loss was logged")]
