import math

import pytest

from guards.guard import inspect
from guards.training import LOGGED
from ledger.evidence import Evidence
from ledger.evidence.imported_claims import ClaimedRun, Point
from ledger.evidence.training import TrainingLimits
from ledger.importers.training_log import training_log

NAN, INF = math.nan, math.inf


def errors(**claims):
    """The messages of TRN001 about a run with these claims; `series` has the values of steps 1, 2, 3…"""
    series = {
        name: [Point(step, value) for step, value in enumerate(values, 1)]
        for name, values in claims.pop("series", {}).items()
    }
    log = training_log(ClaimedRun(experiment="exp", key="exp", series=series, **claims), "runs/exp")
    report = inspect(LOGGED, Evidence(TrainingLimits()), Evidence(log))
    return [found.message for found in report.findings if found.code == "TRN001"]


@pytest.mark.parametrize(
    ("series", "says"),
    [
        ({"loss": [5.0, NAN]}, "the loss is NaN from step 2 on (1 of 2 points)"),
        ({"train_loss": [5.0, -INF, 4.0]}, "the loss is infinite from step 2 on (1 of 3 points)"),
        ({"train_loss": [NAN]}, "train_loss is NaN from step 1 on (1 of 1 value)"),
        ({"val_loss": [5.0, NAN]}, "eval_loss is NaN from step 2 on (1 of 2 values)"),
        ({"val/bleu": [21.0, INF]}, "eval_bleu is infinite from step 2 on (1 of 2 values)"),
        ({"valid_chrf": [NAN]}, "valid_chrf is NaN from step 1 on (1 of 1 value)"),
        ({"test_bleu": [NAN]}, "test_bleu is NaN from step 1 on (1 of 1 value)"),
        ({"train/nll_loss": [9.0, NAN, NAN]}, "train/nll_loss is NaN from step 2 on (2 of 3 values)"),
        ({"ppl": [INF, 90.0]}, "ppl is infinite from step 1 on (1 of 2 values)"),
    ],
    ids=str,
)
def test_a_loss_or_score_that_is_not_finite_is_an_error_whatever_it_is_called(series, says):
    assert errors(series=series) == [says]


@pytest.mark.parametrize(
    "series",
    [
        {"loss": [5.0, 4.0], "grad_norm": [INF, 1.0]},  # AMP skips such steps; TRN002 judges
        {"loss": [5.0, 4.0], "rollout/reward": [NAN, 1.0]},
        {"loss": [5.0, 4.0], "gpu.0.temp": [NAN, 60.0]},
        {"loss": [5.0, 4.0], "val_loss": [5.0, 4.5], "train/nll_loss": [9.0, 8.0]},
    ],
    ids=str,
)
def test_what_may_be_undefined_now_and_then_is_no_error(series):
    assert errors(series=series) == []


def test_a_final_value_counts_where_no_series_has_it():
    assert errors(metrics={"bleu": NAN}) == ["the final value of bleu is NaN"]
    assert errors(metrics={"loss": INF, "bleu": 21.0}) == ["the final value of loss is infinite"]
    assert errors(metrics={"loss": NAN}, series={"loss": [4.0, NAN]}) == [
        "the loss is NaN from step 2 on (1 of 2 points)"
    ]
