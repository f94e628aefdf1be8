"""TRN004: the loss spikes, or diverges."""

from collections.abc import Iterator, Sequence
from math import isfinite

from guards.guard import Explanation
from guards.training.loss_trend import Losses, Rise, find_rise, rows_above_neighbours
from guards.training.rolling_window import WindowedPoint, above_median, latest_median, shown
from ledger.evidence.training import LOSS_RESOLUTION, TrainingLimits, TrainingSeries
from ledger.findings import Finding, Severity, Skip
from ledger.utils.json_values import finite_or_name
from ledger.utils.plural import count

CODE = "TRN004"
TITLE = "the loss spikes or diverges"
READS = (TrainingLimits, TrainingSeries)
EXPLANATION = Explanation(
    means="A loss is 7 robust standard deviations (1.4826 times the median absolute deviation) above the "
    "median of the 30 points before it, and 1.5 times what nine in ten of them do not exceed. A single point "
    "that the next ones undo is information, anything more is a warning. A loss that rose and stayed up is a "
    "warning, too: the median of the latest 10 points is three times the lowest such median so far, or back "
    "where the training began, or several points are above those just before them by far more than points "
    "differ otherwise. A log of fewer than 20 points is judged by its last loss, 1.2 times the first, "
    "together with an evaluation loss above its first value, and by three times the first. Losses below 0.01 "
    "are ignored, since the Trainer rounds to 4 decimals, and so is the loss of a training that maximizes a "
    "reward.",
    matters="A spike that recovers costs some steps and, now and then, the quality of everything after it. "
    "If the loss does not recover, the training is lost, and with it every later checkpoint.",
    do="If the loss recovered, inspect the batches at the step that the finding names. If not, resume from "
    "the last verified checkpoint before it, skipping those batches or with a lower learning rate. PaLM's "
    "authors went back 100 steps and skipped 200 to 500 batches.",
)


def inspect(expected: TrainingLimits, actual: TrainingSeries) -> Iterator[Finding | Skip]:
    """Compare each loss with the median of those before it, and the latest losses with all earlier ones."""
    losses = [(p.step, p.loss) for p in actual.points if p.loss is not None and isfinite(p.loss)]
    if actual.rewards:
        yield Skip(CODE, "the training maximizes a reward: its loss is not a measure of it")
        return
    if _ends_worse(losses, actual, expected):
        yield _short(losses, expected)
        return
    if len(losses) <= expected.exploding_points:
        yield Skip(CODE, "too few losses were logged")
        return
    high = above_median(losses, expected.window, expected.least_points, rise=1 + expected.spike_rise)
    spikes = [point for point in high if _is_spike(point, expected)]
    first, latest = losses[0][1], latest_median([loss for _, loss in losses[1:]], expected.least_points)
    if not all(_is_undone(point, losses, expected) for point in spikes):
        yield _spiked(spikes, latest, expected, Severity.WARNING)
    elif rise := find_rise(losses, expected):
        yield _risen(rise, losses[-1][0])
    elif latest > expected.diverged_times * max(first, LOSS_RESOLUTION):
        yield _diverged(first, latest, losses[-1][0], expected)
    elif spikes:
        yield _spiked(spikes, latest, expected, Severity.INFO)
    elif single := list(rows_above_neighbours(losses, expected)):
        yield _single(losses, single, expected)


def _is_spike(point: WindowedPoint, limits: TrainingLimits) -> bool:
    # A mixture of easy and hard batches has a small MAD around its easy half: hence the 90th percentile.
    high = max((1 + limits.spike_rise) * point.usually_highest, LOSS_RESOLUTION)
    return point.value > high and point.deviations >= limits.spike_deviations


def _is_undone(spike: WindowedPoint, losses: Losses, limits: TrainingLimits) -> bool:
    """Whether one of the next two points is at the level of the three before. The last point counts as such:
    whether it stays will show."""
    after = [loss for _, loss in losses[spike.index + 1 : spike.index + 3]]
    before = max(LOSS_RESOLUTION, *(loss for _, loss in losses[spike.index - 3 : spike.index]))
    return not after or min(after) <= (1 + limits.spike_rise) * before


def _ends_worse(losses: Losses, actual: TrainingSeries, limits: TrainingLimits) -> bool:
    """Whether a short log ends above its start, in training and in evaluation alike."""
    evaluated = [one.metrics["eval_loss"] for one in actual.evaluations if "eval_loss" in one.metrics]
    if not 2 <= len(losses) < limits.trend_points or len(evaluated) < 2:
        return False
    rose = losses[-1][1] > limits.short_rise * max(losses[0][1], LOSS_RESOLUTION)
    return rose and evaluated[-1] > evaluated[0]


def _spiked(
    spikes: Sequence[WindowedPoint], latest: float, limits: TrainingLimits, severity: Severity
) -> Finding:
    worst = max(spikes, key=lambda point: point.times)
    recovered = latest <= (1 + limits.spike_rise) * spikes[0].median
    after = "it recovered" if recovered else f"it has not recovered: now {shown(latest)}"
    return Finding(
        CODE,
        severity,
        f"the loss is {shown(worst.value)} at step {worst.step:,}, {worst.times:,.1f} times the "
        f"{shown(worst.median)} of the points before it ({count(len(spikes), 'such point')}); {after}",
        measured=finite_or_name(worst.deviations),
        threshold=limits.spike_deviations,
        evidence={
            "steps": [spike.step for spike in spikes[:20]],
            "points": len(spikes),
            "times": finite_or_name(worst.times),
            "came_back": recovered,
        },
    )


def _diverged(first: float, latest: float, step: int, limits: TrainingLimits) -> Finding:
    return Finding(
        CODE,
        Severity.WARNING,
        f"the loss diverges: the median of the latest points, up to step {step:,}, is {shown(latest)}, and "
        f"the first loss was {shown(first)}",
        measured=latest,
        threshold=limits.diverged_times * max(first, LOSS_RESOLUTION),
        evidence={"first": first, "step": step},
    )


def _risen(rise: Rise, last: int) -> Finding:
    return Finding(
        CODE,
        Severity.WARNING,
        f"the loss rose and stayed up: {shown(rise.after)} (a median, up to step {last:,}), {rise.times:.3g} "
        f"times the {shown(rise.before)} of {rise.reason}",
        measured=finite_or_name(rise.times),
        threshold=rise.limit,
        evidence={"step": rise.step, "before": rise.before, "after": rise.after},
    )


def _short(losses: Losses, limits: TrainingLimits) -> Finding:
    (_, first), (step, last) = losses[0], losses[-1]
    return Finding(
        CODE,
        Severity.WARNING,
        f"the loss ends at {shown(last)} (step {step:,}), above the {shown(first)} it began with, and the "
        "evaluation loss is above its first value, too",
        measured=last / max(first, LOSS_RESOLUTION),
        threshold=limits.short_rise,
        evidence={"first": first, "last": last, "step": step},
    )


def _single(losses: Losses, indices: Sequence[int], limits: TrainingLimits) -> Finding:
    worst = max(indices, key=lambda index: losses[index][1])
    step, loss = losses[worst]
    times = loss / max(losses[worst - 1][1], LOSS_RESOLUTION)
    return Finding(
        CODE,
        Severity.INFO,
        f"the loss is {shown(loss)} at step {step:,}, {times:,.1f} times the point before it "
        f"({count(len(indices), 'such point')}); it recovered",
        measured=finite_or_name(times),
        threshold=limits.diverged_times,
        evidence={"steps": [losses[index][0] for index in indices[:20]], "points": len(indices)},
    )
