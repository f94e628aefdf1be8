"""TRN012: an evaluation got worse while the training went on."""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite

from guards.guard import Explanation
from guards.training.metric_direction import higher_is_better
from guards.training.rolling_window import shown
from ledger.evidence.training import EvaluationPoint, TrainingLimits, TrainingSeries
from ledger.findings import Finding, Severity, Skip

CODE = "TRN012"
TITLE = "an evaluation got worse"
READS = (TrainingLimits, TrainingSeries)
EXPLANATION = Explanation(
    means="The last evaluation loss is above the lowest one. Alone that is information. It is a warning "
    "where it is a tenth above and a task metric is also worse, by a twentieth, than at the lowest "
    "evaluation loss. Task metrics are those whose names give their direction: BLEU, WER, F1, accuracy and "
    "others; metrics of single classes (eval_T005_f1) are left out. Where the best value of a task metric "
    "was reached before the last evaluation, both values are named, as information.",
    matters="A rising evaluation loss is often called overfitting, yet in public logs the task metric was "
    "mostly better at the end than at the lowest evaluation loss: WER 34.6 and then 32.1, F1 0.598 and then "
    "0.655. Where both get worse, a checkpoint before the last is the better one.",
    do="Keep the checkpoint of the best task metric: load_best_model_at_end with metric_for_best_model. "
    "Where both get worse, train for fewer steps or with more data.",
)
TOLERANCE = 0.01  # relative: what evaluations of one model differ by in half precision
# What counts as worse; metrics of healthy public logs vary by less from one evaluation to the next.
LOSS_ROSE, METRIC_FELL = 0.10, 0.05


def inspect(expected: TrainingLimits, actual: TrainingSeries) -> Iterator[Finding | Skip]:  # noqa: ARG001
    """Compare the last evaluation with that of the lowest loss, and each task metric with its best value."""
    losses = _values(actual.evaluations, "eval_loss")
    tasks = {name: _values(actual.evaluations, name) for name in _task_metrics(actual.evaluations)}
    if max(map(len, (losses, *tasks.values())), default=0) < 2:
        yield Skip(CODE, "fewer than two evaluations were logged")
        return
    worse: dict[str, tuple[float, float]] = {}
    lowest = min((loss for _, loss in losses), default=0.0)
    if len(losses) > 1 and _is_worse(losses[-1][1], lowest, TOLERANCE, higher=False):
        if _is_worse(losses[-1][1], lowest, LOSS_ROSE, higher=False):
            worse = dict(_worse_than_at_the_lowest_loss(losses, tasks))
        yield _loss_rose(losses, worse)
    for name, values in tasks.items():
        if name not in worse and len(values) > 1:
            yield from _best_was_earlier(name, values)


def _values(evaluations: Sequence[EvaluationPoint], name: str) -> list[tuple[int, float]]:
    """The finite values by step. A second one at a step is of other weights, those of the best checkpoint."""
    found: dict[int, float] = {}
    for one in evaluations:
        if (value := one.metrics.get(name)) is not None and isfinite(value):
            found.setdefault(one.step, value)
    return list(found.items())


def _task_metrics(evaluations: Sequence[EvaluationPoint]) -> list[str]:
    names = dict.fromkeys(name for one in evaluations for name in one.metrics)
    return [name for name in names if name != "eval_loss" and higher_is_better(name) is not None]


def _is_worse(value: float, than: float, by: float, *, higher: bool) -> bool:
    margin = by * abs(than)
    return value < than - margin if higher else value > than + margin


def _worse_than_at_the_lowest_loss(
    losses: Sequence[tuple[int, float]], tasks: Mapping[str, Sequence[tuple[int, float]]]
) -> Iterator[tuple[str, tuple[float, float]]]:
    """The task metrics whose last value is worse than that of the step with the lowest loss: (then, now)."""
    step = min(losses, key=lambda one: one[1])[0]
    for name, values in tasks.items():
        then = next((value for at, value in values if at == step), None)
        if then is not None and _is_worse(
            values[-1][1], then, METRIC_FELL, higher=bool(higher_is_better(name))
        ):
            yield name, (then, values[-1][1])


def _loss_rose(losses: Sequence[tuple[int, float]], worse: Mapping[str, tuple[float, float]]) -> Finding:
    (best_step, best), (step, last) = min(losses, key=lambda one: one[1]), losses[-1]
    also = "".join(f"; {name} {shown(then)} then, {shown(now)} now" for name, (then, now) in worse.items())
    return Finding(
        CODE,
        Severity.WARNING if worse else Severity.INFO,
        f"eval_loss {shown(last)} at step {step:,}, {shown(best)} at step {best_step:,}{also}",
        measured=last,
        threshold=best,
        evidence={"best_step": best_step, "last_step": step, "worse": sorted(worse)},
    )


def _best_was_earlier(name: str, values: Sequence[tuple[int, float]]) -> Iterator[Finding]:
    higher = bool(higher_is_better(name))
    choose = max if higher else min
    best_step, best = choose(values, key=lambda one: one[1])
    step, last = values[-1]
    if _is_worse(last, best, TOLERANCE, higher=higher):
        yield Finding(
            CODE,
            Severity.INFO,
            f"the best {name} is {shown(best)} (step {best_step:,}), the last {shown(last)} (step {step:,})",
            measured=last,
            threshold=best,
            evidence={"metric": name, "best_step": best_step, "last_step": step},
        )
