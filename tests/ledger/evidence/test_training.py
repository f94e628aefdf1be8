import math

import pytest

from ledger.evidence.training import TrainingPoint, limit_problems, series_of_log

LOG = [
    {"step": 1, "loss": 9.5, "grad_norm": 3.25, "learning_rate": 1e-5, "epoch": 0.1},
    {"step": 2, "loss": 0.0, "grad_norm": float("nan"), "learning_rate": 2e-5, "epoch": 0.2},
    {"step": 2, "eval_loss": 9.0, "eval_bleu": 0.22},
    {"step": 3, "loss": "lost", "learning_rate": None},
    {"step": 3, "train_runtime": 12.5, "train_loss": 4.75},
    {"loss": 1.0},
]


def test_the_rows_of_training_steps_become_points():
    series = series_of_log(LOG)
    assert [point.step for point in series.points] == [1, 2, 3]
    assert series.points[0] == TrainingPoint(1, 9.5, 3.25, 1e-5)
    assert math.isnan(series.points[1].grad_norm)
    assert series.points[2].loss is None
    assert series.filtered


def test_no_log_is_an_empty_series():
    assert series_of_log([]).points == ()


@pytest.mark.parametrize(
    ("stated", "starts"),
    [
        ({}, []),
        ({"window": 20, "vanishing_norm": 0.01, "spike_deviations": 9}, []),
        ({"windw": 20}, ["no limit is called windw: they are window, least_points"]),
        ({"window": 2.5}, ["window should be a whole number above 0, not 2.5"]),
        ({"window": True}, ["window should be a whole number above 0, not True"]),
        ({"spike_rise": 0}, ["spike_rise should be a number above 0, not 0"]),
        ({"spike_rise": float("nan")}, ["spike_rise should be a number above 0, not nan"]),
        ({"spike_rise": "high", "x": 1}, ["no limit is called x", "spike_rise should be a number"]),
    ],
)
def test_stated_limits_are_checked_by_name(stated, starts):
    problems = limit_problems(stated)
    assert len(problems) == len(starts)
    assert all(problem.startswith(start) for problem, start in zip(problems, starts, strict=True))


def test_what_is_not_finite_is_read_also_as_text():
    rows = [{"step": 1, "loss": "NaN"}, {"step": 2, "loss": 1.0, "grad_norm": "tensor(1.2)"}]
    rows += [{"step": 2, "eval_loss": "Infinity", "eval_runtime": 3.1}]
    series = series_of_log(rows)
    assert [str(point.loss) for point in series.points] == ["nan", "1.0"]
    assert series.points[1].grad_norm is None
    assert [dict(one.metrics) for one in series.evaluations] == [{"eval_loss": float("inf")}]
