import json

import pytest

from guards.checkpoint.origin import wrong_best as guard
from ledger.checkpoints.provenance import best_of
from ledger.evidence.provenance import BestCheckpoint, MetricDirection
from ledger.findings import Severity

ROWS = [
    # metric, value called best, logged values, greater_is_better, whether it is the wrong one
    ("eval_ter", 100.0, (100.0, 96.9), True, True),
    ("eval_ter", 96.9, (100.0, 96.9), False, False),
    ("eval_bleu", 33.0, (22.0, 33.0, 31.0), None, False),
    ("eval_bleu", 22.0, (22.0, 33.0, 31.0), None, True),
    ("eval_loss", 1.2, (2.0, 1.2, 1.4), False, False),
    ("eval_own", 1.2, (2.0, 1.2, 1.4), None, False),  # nobody says which way
    ("eval_own", 1.2, (2.0, 1.2, 1.4), True, True),
    ("eval_own", 1.2, (2.0, 1.2, 1.4), False, False),
    ("eval_wer", 0.4, (0.4,), True, False),
    ("eval_wer", 0.4, (0.4, 0.4), True, False),
    ("eval_wer", 0.4, (), True, False),
]


@pytest.mark.parametrize(("metric", "value", "logged", "greater", "wrong"), ROWS)
def test_the_best_of_the_log_is_called_the_best(metric, value, logged, greater, wrong):
    scores = tuple(enumerate(logged))
    found = list(
        guard.inspect(MetricDirection(greater), BestCheckpoint("checkpoint-1", metric, value, scores))
    )
    assert [one.severity for one in found] == ([Severity.WARNING] if wrong else [])


def test_the_message_names_both_values_and_the_direction():
    best = BestCheckpoint("checkpoint-20", "eval_ter", 100.0, ((20, 100.0), (40, 96.875)))
    (finding,) = guard.inspect(MetricDirection(True), best)
    assert finding.message == (
        "checkpoint-20 is called the best with eval_ter 100, and the log has 96.875 at step 40: "
        "lower is better"
    )


LOG = [
    {"step": 20, "loss": 3.0},
    {"step": 20, "eval_ter": 100.0, "eval_loss": 2.0},
    {"step": 40, "eval_ter": 96.9, "eval_loss": float("nan")},
]


def state(folder, **changes):
    content = {"global_step": 40, "log_history": LOG, "best_metric": 100.0, **changes}
    (folder / "trainer_state.json").write_text(json.dumps(content))
    return folder


def test_the_metric_is_the_one_of_the_arguments_or_the_one_with_the_value(tmp_path):
    state(tmp_path, best_model_checkpoint="/runs/a/checkpoint-20")
    expected = BestCheckpoint("checkpoint-20", "eval_ter", 100.0, ((20, 100.0), (40, 96.9)))
    assert best_of(tmp_path, {"metric_for_best_model": "ter"}) == expected
    assert best_of(tmp_path, {}) == expected


@pytest.mark.parametrize(
    "changes",
    [{"best_model_checkpoint": None}, {"best_metric": None}, {"best_metric": 7.0}, {"log_history": [1]}],
)
def test_without_a_best_checkpoint_that_the_log_knows_there_is_none(changes, tmp_path):
    assert best_of(state(tmp_path, **{"best_model_checkpoint": "checkpoint-20", **changes}), {}) is None


def test_values_that_are_not_finite_are_left_out(tmp_path):
    state(tmp_path, best_metric=2.0, best_model_checkpoint="checkpoint-20")
    assert best_of(tmp_path, {}).scores == ((20, 2.0),)
