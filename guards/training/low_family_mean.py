"""TRN010: a family of metrics is below the limit in the mean, or a member of it has no value at all."""

from collections.abc import Iterator
from math import isfinite

from guards.guard import Explanation
from ledger.evidence.metrics import FamilyLimits, MetricFamily
from ledger.findings import Finding, Severity, Skip

CODE = "TRN010"
TITLE = "the family's mean is below the limit"
READS = (FamilyLimits, MetricFamily)
EXPLANATION = Explanation(
    means="The mean correlation over the time frames is lower than guards.min_correlation, or a time frame "
    "has no correlation: its forecasts are all the same, or not numbers. A rehearsal has a limit of its own.",
    matters="A rehearsal learns a made series that can be forecast: a low correlation there is a fault in "
    "the plumbing, such as windows that do not belong to their targets. Forecasts that are all the same are "
    "a model that learned the mean and nothing else.",
    do="In a rehearsal, look at the loss curve first: ledger show RUN. In a real run, compare with the "
    "parent's correlations, and look at the learning rates in the effective configuration.",
)


def inspect(expected: FamilyLimits, actual: MetricFamily) -> Iterator[Finding | Skip]:
    """Hold the mean against the lowest, and name the members without a value."""
    without = [name for name, value in actual.values.items() if not isfinite(value)]
    if without:
        yield Finding(
            CODE,
            Severity.ERROR,
            f"the {actual.name} of {', '.join(without)} is not defined: the forecasts are all the same, or "
            "not numbers",
            measured=len(without),
            threshold=0,
            evidence={"members": without},
        )
    elif expected.min_mean is None:
        yield Skip(CODE, f"no lowest {actual.name} is set")
    elif actual.mean < expected.min_mean:
        yield Finding(
            CODE,
            Severity.ERROR,
            f"the mean {actual.name} is {actual.mean:.4f}, below the limit of {expected.min_mean:g}, over "
            f"{len(actual.values)} members",
            measured=actual.mean,
            threshold=expected.min_mean,
            evidence={"signature": actual.signature, "members": dict(actual.values)},
        )
