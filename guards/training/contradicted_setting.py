"""TRN013: the log of a training contradicts a setting that is stated for it."""

from collections.abc import Iterator
from math import isfinite

from guards.guard import Explanation
from guards.training.rolling_window import shown
from ledger.evidence.training import TrainingLimits, TrainingSeries
from ledger.findings import Finding, Json, Severity, Skip
from ledger.utils.json_values import to_number

CODE = "TRN013"
TITLE = "the log contradicts a stated setting"
READS = (TrainingLimits, TrainingSeries)
EXPLANATION = Explanation(
    means="A spec, a config or the name of the folder states a learning rate, a batch size or a number of "
    "steps, and the training's own log has another: a peak of the learning rate above the stated one, or "
    "below nine tenths of it once the rate is falling; another batch size; more steps than were planned.",
    matters="Three public results were published under three learning rates and hold one and the same "
    "training. A comparison of such runs compares noise, or nothing.",
    do="Check which settings the script really passes to the Trainer: an argument that is parsed and never "
    "used is the usual cause. Name the run after what it did, or run it again.",
)
TOLERANCE = 0.01  # relative: names and logs are rounded
REACHED = 0.9  # of the stated rate


def inspect(expected: TrainingLimits, actual: TrainingSeries) -> Iterator[Finding | Skip]:  # noqa: ARG001
    """Compare each stated setting with what the log has of it."""
    stated = {name: to_number(value) for name, value in actual.declared.items()}
    if not any(stated.get(name) for name in ("learning_rate", "per_device_train_batch_size", "max_steps")):
        yield Skip(CODE, "no learning rate, batch size or number of steps is stated")
        return
    if rate := stated.get("learning_rate"):
        yield from _learning_rate(rate, actual)
    # The Trainer notes the batch of all devices that one process feeds: a multiple of the stated one.
    batch, logged_batch = (to_number(of.get("per_device_train_batch_size")) for of in (stated, actual.logged))
    if batch and logged_batch and logged_batch % batch:
        yield _found("per_device_train_batch_size", batch, logged_batch, f"the log has {shown(logged_batch)}")
    last = max((point.step for point in actual.points), default=0)
    steps, planned = stated.get("max_steps"), to_number(actual.logged.get("max_steps"))
    if steps and steps > 0 and planned and planned != steps:  # -1: it follows from the epochs
        yield _found("max_steps", steps, planned, f"the log has {shown(planned)}")
    elif steps and steps > 0 and last > steps:
        yield _found("max_steps", steps, last, f"the log goes on to step {last:,}")


def _learning_rate(stated: float, actual: TrainingSeries) -> Iterator[Finding]:
    rates = [
        p.learning_rate for p in actual.points if p.learning_rate is not None and isfinite(p.learning_rate)
    ]
    if len(rates) < 2:
        return
    peak = max(rates)
    falling = rates[-1] < peak
    if peak > stated * (1 + TOLERANCE) or (falling and peak < REACHED * stated):
        yield _found("learning_rate", stated, peak, f"the highest that was logged is {shown(peak)}")


def _found(name: str, stated: Json, logged: Json, message: str) -> Finding:
    return Finding(
        CODE,
        Severity.WARNING,
        f"{name} is stated as {shown(float(stated))}, and {message}",
        measured=logged,
        threshold=stated,
        evidence={"setting": name, "stated": stated, "logged": logged},
    )
