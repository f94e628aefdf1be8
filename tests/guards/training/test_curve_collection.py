"""The guards on a collection of curves: healthy ones, and injected faults with the share that is found.

Each share of faults that must be found is a floor, in 28ths; docs/training-health.md has what was measured.
"""

import random
from dataclasses import replace

import pytest

from guards.training import LOGGED
from ledger.evidence.training import TrainingLimits, series_of_log
from ledger.findings import Severity

from .curves import (
    HEALTHY,
    climb,
    draw,
    inject,
    jump_back,
    level_times_3,
    never_learns,
    not_a_number,
    one_row,
)

CURVES = [shape for shape in HEALTHY if shape.rows >= 20 and not shape.reward]
PREFIXES = 50


def findings(rows):
    series = series_of_log(rows)
    found = (one for guard in LOGGED for one in guard.inspect(TrainingLimits(), series))
    return [one for one in found if hasattr(one, "severity")]


def warnings(rows, code=None):
    return [f for f in findings(rows) if f.severity >= Severity.WARNING and code in (None, f.code)]


def test_the_collection_is_as_large_as_it_has_to_be():
    assert len(HEALTHY) >= 40
    assert len(CURVES) >= 28
    assert min(shape.rows for shape in HEALTHY) <= 5
    assert max(shape.rows for shape in HEALTHY) >= 400


@pytest.mark.parametrize("shape", HEALTHY, ids=lambda shape: shape.name)
def test_a_healthy_curve_has_no_warning_nor_has_any_of_its_beginnings(shape):
    rows, random_ = draw(shape), random.Random(shape.name)
    ends = [len(rows), *(random_.randint(1, len(rows)) for _ in range(PREFIXES))]
    assert [found for end in ends for found in warnings(rows[:end])] == []
    assert [found for seed in range(1, 10) for found in warnings(draw(shape, seed))] == []


@pytest.mark.parametrize(
    ("fault", "code", "least", "share"),
    [
        pytest.param(jump_back, "TRN004", Severity.WARNING, 26 / 28, id="back at its first value"),
        pytest.param(climb(1), "TRN004", Severity.WARNING, 26 / 28, id="climb to 1x"),
        pytest.param(climb(2), "TRN004", Severity.WARNING, 26 / 28, id="climb to 2x"),
        pytest.param(climb(4), "TRN004", Severity.WARNING, 28 / 28, id="climb to 4x"),
        pytest.param(level_times_3, "TRN004", Severity.WARNING, 24 / 28, id="level times 3"),
        pytest.param(one_row(10), "TRN004", Severity.INFO, 27 / 28, id="one row times 10"),
        pytest.param(never_learns, "TRN011", Severity.INFO, 26 / 28, id="never learns"),
        pytest.param(not_a_number, "TRN001", Severity.ERROR, 1.0, id="NaN"),
    ],
)
def test_an_injected_fault_is_found(fault, code, least, share):
    missed = [
        shape.name
        for shape in CURVES
        if not any(f.code == code and f.severity >= least for f in findings(inject(draw(shape), fault)))
    ]
    assert len(CURVES) - len(missed) >= share * len(CURVES), missed


def test_nan_in_an_evaluation_is_an_error():
    for shape in HEALTHY:
        rows = draw(replace(shape, evaluations=shape.evaluations or {"eval_loss": (2.0, 1.0)}))
        rows = [{**row, "eval_loss": float("nan")} if "eval_loss" in row else row for row in rows]
        (found,) = warnings(rows, "TRN001")
        assert found.severity is Severity.ERROR
        assert found.message.startswith("eval_loss is NaN from step")


def test_one_row_that_comes_back_is_information():
    for shape in CURVES:
        assert warnings(inject(draw(shape), one_row(10)), "TRN004") == [], shape.name


def test_a_rate_of_zero_is_named():
    for shape in CURVES:
        rows = [{**row, "learning_rate": 0.0} if "loss" in row else row for row in draw(shape)]
        (found,) = [f for f in findings(rows) if f.code == "TRN011"]
        assert found.message.startswith("the learning rate is 0 at all")
        flat = [
            {**row, "learning_rate": 0.0} if "loss" in row else row
            for row in inject(draw(shape), never_learns)
        ]
        assert [f.severity for f in findings(flat) if f.code == "TRN011"] == [Severity.WARNING]
