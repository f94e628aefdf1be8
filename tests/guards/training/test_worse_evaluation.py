import pytest

from guards.training import worse_evaluation
from guards.training.metric_direction import higher_is_better
from ledger.evidence.training import EvaluationPoint, TrainingLimits, TrainingSeries
from ledger.findings import Severity, Skip


def look(**metrics):
    length = max(map(len, metrics.values()))
    evaluations = tuple(
        EvaluationPoint(100 * (i + 1), {f"eval_{name}": values[i] for name, values in metrics.items()})
        for i in range(length)
    )
    return list(worse_evaluation.inspect(TrainingLimits(), TrainingSeries(evaluations=evaluations)))


def test_a_rising_loss_alone_is_information():
    (finding,) = look(loss=[0.33, 0.30, 0.41], wer=[41.0, 34.6, 32.1])
    assert finding.severity is Severity.INFO
    assert finding.message == "eval_loss 0.41 at step 300, 0.3 at step 200"


def test_with_a_worse_task_metric_it_is_a_warning():
    (finding,) = look(loss=[0.33, 0.30, 0.41], wer=[41.0, 34.6, 38.0])
    assert finding.severity is Severity.WARNING
    assert finding.message.endswith("; eval_wer 34.6 then, 38 now")


def test_the_best_checkpoint_is_named_with_both_numbers():
    (finding,) = look(loss=[0.5, 0.4, 0.3], bleu=[12.0, 22.0, 20.0])
    assert finding.severity is Severity.INFO
    assert finding.message == "the best eval_bleu is 22 (step 200), the last 20 (step 300)"


@pytest.mark.parametrize(
    "metrics",
    [
        pytest.param({"loss": [0.5, 0.4, 0.3], "f1": [0.5, 0.6, 0.7]}, id="both improve"),
        pytest.param({"loss": [0.300, 0.301], "f1": [0.700, 0.699]}, id="within what rounding does"),
        pytest.param({"loss": [0.5, 0.4], "gen_len": [20.0, 31.0]}, id="a metric without a direction"),
        pytest.param({"loss": [0.5, 0.4], "T005_f1": [0.9, 0.1]}, id="a metric of one class"),
    ],
)
def test_what_is_not_named(metrics):
    assert look(**metrics) == []


def test_an_evaluation_of_the_best_checkpoint_at_the_end_does_not_count():
    points = [(10, {"eval_ter": 96.0}), (20, {"eval_ter": 90.0}), (20, {"eval_ter": 96.0})]
    series = TrainingSeries(evaluations=tuple(EvaluationPoint(*one) for one in points))
    assert list(worse_evaluation.inspect(TrainingLimits(), series)) == []


def test_one_evaluation_is_skipped():
    (skip,) = look(loss=[0.5])
    assert isinstance(skip, Skip)


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("eval_loss", False),
        ("eval_wer", False),
        ("eval_bleu", True),
        ("eval_rougeLsum", True),
        ("eval_f1_macro", True),
        ("eval_macro_f1", True),
        ("eval_matthews_correlation", True),
        ("eval_T005_f1", None),
        ("eval_samples", None),
    ],
)
def test_the_direction_of_a_metric(name, direction):
    assert higher_is_better(name) is direction
