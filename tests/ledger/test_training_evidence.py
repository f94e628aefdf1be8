import math

from ledger.training_evidence import TrainingPoint, series_of_log

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
