"""TRN004: the loss spikes, or diverges."""

from collections.abc import Iterator, Sequence
from math import isfinite

from guards.guard import Explanation
from guards.training.rolling_window import WindowedPoint, above_median, in_json, latest_median, shown
from ledger.evidence.training import LOSS_RESOLUTION, TrainingLimits, TrainingSeries
from ledger.findings import Finding, Severity, Skip
from ledger.utils.plural import count

CODE = "TRN004"
TITLE = "the loss spikes or diverges"
READS = (TrainingLimits, TrainingSeries)
EXPLANATION = Explanation(
    means="A loss is 7 robust standard deviations (1.4826 times the median absolute deviation) above "
    "the median of the 50 points before it, and 1.5 times what nine in ten of them do not exceed; or the "
    "latest losses are three times the first. Losses below 0.01 are ignored, since the Trainer rounds to 4 "
    "decimals.",
    matters="A spike that recovers costs some steps and, now and then, the quality of everything after it. "
    "If the loss does not recover, the training is lost, and with it every later checkpoint.",
    do="If the loss recovered, inspect the batches at the step that the finding names. If not, resume from "
    "the last verified checkpoint before it, skipping those batches or with a lower learning rate. PaLM's "
    "authors went back 100 steps and skipped 200 to 500 batches.",
)


def inspect(expected: TrainingLimits, actual: TrainingSeries) -> Iterator[Finding | Skip]:
    """Compare each loss with the median of those before it, and the latest losses with the first."""
    values = [(p.step, p.loss) for p in actual.points if p.loss is not None and isfinite(p.loss)]
    if len(values) <= expected.exploding_points:
        yield Skip(CODE, "too few losses were logged")
        return
    losses = [loss for _, loss in values]
    high = above_median(values, expected.window, expected.least_points, rise=1 + expected.spike_rise)
    spikes = [point for point in high if _is_spike(point, expected)]
    latest = latest_median(losses[1:], expected.least_points)
    if spikes:
        yield _spiked(spikes, latest, expected)
    elif latest > expected.diverged_times * max(losses[0], LOSS_RESOLUTION):
        yield _diverged(losses[0], latest, values[-1][0], expected)


def _is_spike(point: WindowedPoint, limits: TrainingLimits) -> bool:
    # A mixture of easy and hard batches has a small MAD around its easy half: hence the 90th percentile.
    high = max((1 + limits.spike_rise) * point.usually_highest, LOSS_RESOLUTION)
    return point.value > high and point.deviations >= limits.spike_deviations


def _spiked(spikes: Sequence[WindowedPoint], latest: float, limits: TrainingLimits) -> Finding:
    worst = max(spikes, key=lambda point: point.times)
    recovered = latest <= (1 + limits.spike_rise) * spikes[0].median
    after = "it recovered" if recovered else f"it has not recovered: now {shown(latest)}"
    return Finding(
        CODE,
        Severity.WARNING,
        f"the loss is {shown(worst.value)} at step {worst.step:,}, {worst.times:,.1f} times the "
        f"{shown(worst.median)} of the points before it ({count(len(spikes), 'such point')}); {after}",
        measured=in_json(worst.deviations),
        threshold=limits.spike_deviations,
        evidence={
            "steps": [spike.step for spike in spikes[:20]],
            "points": len(spikes),
            "times": in_json(worst.times),
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
