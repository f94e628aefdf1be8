"""TRN011: nothing was learned: loss or reward is where it began, or the learning rate never moved."""

from collections.abc import Iterator, Sequence
from math import isfinite
from statistics import median

from guards.guard import Explanation
from guards.training.rolling_window import shown
from ledger.evidence.training import LOSS_RESOLUTION, TrainingLimits, TrainingSeries
from ledger.findings import Finding, Severity, Skip

CODE = "TRN011"
TITLE = "nothing was learned so far"
READS = (TrainingLimits, TrainingSeries)
EXPLANATION = Explanation(
    means="With 20 points or more, the median of the latest 10 losses is above 0.95 times that of the first "
    "10 and never was a tenth lower; or a training that maximizes a reward has not raised it. Or the logged "
    "learning rate is 0 throughout, or constant where the settings ask for a schedule. All of it is "
    "information; a rate of 0 with a loss that did not fall is a warning.",
    matters="A training that learns nothing looks healthy: the curve is calm and nothing crashes. Frozen "
    "weights, a learning rate of 0 and labels that are all masked look like this. So does a good model that "
    "is fine-tuned on text it knows well, which is why this alone fails nothing.",
    do="Check which parameters require gradients, the learning rate and its schedule, and that some labels "
    "are not -100. Compare the evaluation before and after.",
)
CONSTANT = ("constant", "constant_with_warmup")
SETTLED = 0.2  # of the rows: a warm-up is over by then in nearly all schedules


def inspect(expected: TrainingLimits, actual: TrainingSeries) -> Iterator[Finding | Skip]:
    """Compare the latest losses (or rewards) with the first, and the learning rates with each other."""
    losses = [p.loss for p in actual.points if p.loss is not None and isfinite(p.loss)]
    rates = [p.learning_rate for p in actual.points if p.learning_rate is not None]
    values = [reward for _, reward in actual.rewards] or losses
    if len(values) < expected.trend_points:
        yield Skip(CODE, f"fewer than {expected.trend_points} points were logged")
        return
    stands = _reward_stands(values, expected) if actual.rewards else _loss_stands(values, expected)
    last = max(step for step, _ in (*actual.rewards, *((p.step, p.loss) for p in actual.points)))
    if rates and len(rates) >= expected.least_points and not any(rates):
        yield _rate_of_zero(len(rates), last, warn=stands and not actual.rewards)
    elif stands:
        yield _stands(values, last, "reward" if actual.rewards else "loss", expected)
    if _is_constant(rates, actual, expected):
        yield _constant(rates, last, str(actual.declared["lr_scheduler_type"]))


def _loss_stands(losses: Sequence[float], limits: TrainingLimits) -> bool:
    rows = limits.trend_rows
    first, latest = median(losses[:rows]), median(losses[-rows:])
    lowest = min(median(losses[i - rows : i]) for i in range(rows, len(losses) + 1))
    fell_before = latest > limits.returned_rise * lowest
    return first >= LOSS_RESOLUTION and latest > limits.unlearned_share * first and not fell_before


def _reward_stands(rewards: Sequence[float], limits: TrainingLimits) -> bool:
    rows = limits.trend_rows
    return median(rewards[-rows:]) <= median(rewards[:rows])


def _is_constant(rates: Sequence[float], actual: TrainingSeries, limits: TrainingLimits) -> bool:
    schedule = actual.declared.get("lr_scheduler_type")
    settled = rates[int(SETTLED * len(rates)) :]
    asked = schedule is not None and str(schedule) not in CONSTANT
    return asked and len(rates) >= limits.trend_points and any(settled) and len(set(settled)) == 1


def _stands(values: Sequence[float], last: int, what: str, limits: TrainingLimits) -> Finding:
    rows = limits.trend_rows
    first, latest = median(values[:rows]), median(values[-rows:])
    return Finding(
        CODE,
        Severity.INFO,
        f"the {what} is where it began: {shown(latest)} in the median of the latest {rows} points, "
        f"{shown(first)} in that of the first",
        measured=latest / first if first else None,
        threshold=limits.unlearned_share if what == "loss" else None,
        evidence={"first": first, "latest": latest, "points": len(values), "last_step": last},
    )


def _rate_of_zero(points: int, last: int, *, warn: bool) -> Finding:
    return Finding(
        CODE,
        Severity.WARNING if warn else Severity.INFO,
        f"the learning rate is 0 at all {points:,} logged points"
        + (", and the loss did not fall" if warn else ""),
        measured=0.0,
        evidence={"points": points, "last_step": last},
    )


def _constant(rates: Sequence[float], last: int, schedule: str) -> Finding:
    return Finding(
        CODE,
        Severity.INFO,
        f"the learning rate stays at {shown(rates[-1])}, though the settings ask for a {schedule} schedule",
        measured=rates[-1],
        evidence={"schedule": schedule, "points": len(rates), "last_step": last},
    )
