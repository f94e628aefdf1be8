"""TRN001: the loss or an evaluation is NaN or infinite, even where the Trainer's filter hides it."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from math import isfinite, isnan

from guards.guard import Explanation
from guards.training.rolling_window import shown
from ledger.evidence.training import (
    LOSS_RESOLUTION,
    EvaluationPoint,
    TrainingLimits,
    TrainingPoint,
    TrainingSeries,
)
from ledger.findings import Finding, Severity, Skip
from ledger.utils.plural import count

CODE = "TRN001"
TITLE = "a loss or an evaluation is NaN or infinite, even if the log hides it"
READS = (TrainingLimits, TrainingSeries)
EXPLANATION = Explanation(
    means="A loss, or a metric of an evaluation, is NaN or infinite. Where only the log of the Hugging Face "
    "Trainer is available, its filter (logging_nan_inf_filter, on by default) has left such steps out of the "
    "mean, and a row of nothing else reads exactly 0.0. So a loss that drops from 0.01 or more to exactly "
    "0.0 in the next row is an error, as is 0.0 with a gradient norm that is not finite; a first row of 0.0 "
    "without a norm is a warning. Five equal rows in succession are a warning too: the weights do not "
    "change, or the values are placeholders.",
    matters="The curve looks perfect while every weight is NaN. A model that overfits its data also reads "
    "0.0, since the Trainer rounds to 4 decimals: it gets there through small values, and is not flagged.",
    do="Resume from the last verified checkpoint, in float32 or bfloat16 instead of float16, or with a lower "
    "learning rate. Set logging_nan_inf_filter=False to see the step at which it begins.",
)
Losses = Sequence[tuple[TrainingPoint, float]]


def inspect(expected: TrainingLimits, actual: TrainingSeries) -> Iterator[Finding | Skip]:
    """Search for losses that are not finite, then for the traces that the filter leaves of them."""
    losses = [(point, point.loss) for point in actual.points if point.loss is not None]
    evaluated = [*_evaluations(actual.evaluations), *_final(actual.final)]
    yield from evaluated
    if not losses and evaluated:
        return
    if not losses:
        yield Skip(CODE, "no loss was logged")
        return
    if bad := [point for point, loss in losses if not isfinite(loss)]:
        name = "NaN" if bad[0].loss != bad[0].loss else "infinite"
        yield _found(Severity.ERROR, f"the loss is {name} from step {bad[0].step:,} on", bad, losses)
    if actual.filtered:
        yield from _hidden(losses)
        yield from _constant(losses, expected.repeated_losses)


def _evaluations(evaluations: Sequence[EvaluationPoint]) -> Iterator[Finding]:
    """One finding for each metric that is not finite in some evaluation."""
    logged: dict[str, list[tuple[int, float]]] = {}
    for one in evaluations:
        for name, value in one.metrics.items():
            logged.setdefault(name, []).append((one.step, value))
    for name, all_values in logged.items():
        values = [(step, value) for step, value in all_values if not isfinite(value)]
        if not values:
            continue
        (step, value), last = values[0], values[-1][0]
        what = "NaN" if isnan(value) else "infinite"
        of = f"{len(values):,} of {count(len(all_values), 'value')}"
        yield Finding(
            CODE,
            Severity.ERROR,
            f"{name} is {what} from step {step:,} on ({of})",
            measured=len(values),
            threshold=0,
            evidence={"metric": name, "first_step": step, "last_step": last, "points": len(all_values)},
        )


def _final(final: Mapping[str, float]) -> Iterator[Finding]:
    """One finding for each final value that is not finite."""
    for name, value in final.items():
        if not isfinite(value):
            what = "NaN" if isnan(value) else "infinite"
            yield Finding(
                CODE,
                Severity.ERROR,
                f"the final value of {name} is {what}",
                measured=1,
                threshold=0,
                evidence={"metric": name},
            )


def _hidden(losses: Losses) -> Iterator[Finding]:
    """Zeros that the loss did not reach through small values."""
    before: float | None = None
    hidden: list[TrainingPoint] = []
    for point, loss in losses:
        if loss == 0.0 and (_is_broken(point) or (before is not None and before >= LOSS_RESOLUTION)):
            hidden.append(point)
        elif loss != 0.0 and isfinite(loss):
            before = loss
    first, loss = losses[0]
    if hidden:
        was = "" if before is None else f" after {shown(before)}"
        message = (
            f"the loss reads exactly 0.0{was} from step {hidden[0].step:,} on: the Trainer's filter hides NaN"
        )
        yield _found(Severity.ERROR, message, hidden, losses)
    elif loss == 0.0 and first.grad_norm is None:
        message = f"the first loss, at step {first.step:,}, reads exactly 0.0: the filter may hide NaN"
        yield _found(Severity.WARNING, message, [first], losses)


def _is_broken(point: TrainingPoint) -> bool:
    return point.grad_norm is not None and not isfinite(point.grad_norm)


def _constant(losses: Losses, least: int) -> Iterator[Finding]:
    runs = [list(run) for loss, run in groupby(losses, key=lambda pair: pair[1]) if loss >= LOSS_RESOLUTION]
    longest = max(runs, key=len, default=[])
    if len(longest) >= least:
        points = [point for point, _ in longest]
        message = (
            f"the loss is {shown(longest[0][1])} in {len(longest)} consecutive rows, "
            f"from step {points[0].step:,} on: the weights do not change, or the values are placeholders"
        )
        yield _found(Severity.WARNING, message, points, losses)


def _found(severity: Severity, message: str, bad: Sequence[TrainingPoint], losses: Losses) -> Finding:
    return Finding(
        CODE,
        severity,
        f"{message} ({len(bad):,} of {len(losses):,} points)",
        measured=len(bad),
        threshold=0,
        evidence={"first_step": bad[0].step, "last_step": bad[-1].step, "points": len(losses)},
    )
