"""TRN004: the loss spikes, or diverges."""

from collections.abc import Iterator, Sequence
from math import isfinite

from guards.guard import Explanation
from guards.training.rolling_window import Beside, beside_earlier, in_json, latest_median, points, shown
from ledger.evidence.training import LOSS_RESOLUTION, TrainingLimits, TrainingSeries
from ledger.findings import Finding, Severity, Skip

CODE = "TRN004"
TITLE = "the loss spikes or diverges"
READS = (TrainingLimits, TrainingSeries)
EXPLANATION = Explanation(
    means="A loss lies 7 robust standard deviations (1.4826 times the median absolute deviation) above "
    "the median of the 50 points before it, and half as high again as nine in ten of them; or the latest "
    "losses are three times the first. Losses below 0.01 are left alone, since the "
    "Trainer rounds to 4 decimals.",
    matters="A spike that comes back costs some steps and, now and then, the quality of everything after. "
    "One that stays is a training that is lost, and every save from then on with it.",
    do="If the loss came back, look at the batches at the step that is named. If not, go on from the last "
    "verified checkpoint before it, past those batches or with a lower learning rate. PaLM's authors went "
    "back 100 steps and left out 200 to 500 batches.",
)


def inspect(expected: TrainingLimits, actual: TrainingSeries) -> Iterator[Finding | Skip]:
    """Hold each loss against the median of those before it, and the latest against the first."""
    values = [(p.step, p.loss) for p in actual.points if p.loss is not None and isfinite(p.loss)]
    if len(values) <= expected.exploding_points:
        yield Skip(CODE, "too few losses were logged")
        return
    losses = [loss for _, loss in values]
    risen = beside_earlier(values, expected.window, expected.least_points, rise=1 + expected.spike_rise)
    spikes = [beside for beside in risen if _is_spike(beside, expected)]
    latest = latest_median(losses[1:], expected.least_points)
    if spikes:
        yield _spiked(spikes, latest, expected)
    elif latest > expected.diverged_times * max(losses[0], LOSS_RESOLUTION):
        yield _diverged(losses[0], latest, values[-1][0], expected)


def _is_spike(beside: Beside, limits: TrainingLimits) -> bool:
    # A mixture of easy and hard batches has a small MAD around its easy half: hence the nine in ten.
    high = max((1 + limits.spike_rise) * beside.usually_highest, LOSS_RESOLUTION)
    return beside.value > high and beside.deviations >= limits.spike_deviations


def _spiked(spikes: Sequence[Beside], latest: float, limits: TrainingLimits) -> Finding:
    worst = max(spikes, key=lambda beside: beside.times)
    came_back = latest <= (1 + limits.spike_rise) * spikes[0].median
    after = "it came back" if came_back else f"it has not come back: {shown(latest)} now"
    return Finding(
        CODE,
        Severity.WARNING,
        f"the loss is {shown(worst.value)} at step {worst.step:,}, {worst.times:,.1f} times the "
        f"{shown(worst.median)} of the points before it ({points(len(spikes))}); {after}",
        measured=in_json(worst.deviations),
        threshold=limits.spike_deviations,
        evidence={
            "steps": [spike.step for spike in spikes[:20]],
            "points": len(spikes),
            "times": in_json(worst.times),
            "came_back": came_back,
        },
    )


def _diverged(first: float, latest: float, step: int, limits: TrainingLimits) -> Finding:
    return Finding(
        CODE,
        Severity.WARNING,
        f"the loss diverges: {shown(latest)} in the median of the latest points, up to step {step:,}, and it "
        f"began with {shown(first)}",
        measured=latest,
        threshold=limits.diverged_times * max(first, LOSS_RESOLUTION),
        evidence={"first": first, "step": step},
    )
