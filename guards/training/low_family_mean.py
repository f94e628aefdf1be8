"""TRN010: the mean of a family of metrics is below the limit, or a member has no value."""

from collections.abc import Iterator
from math import isfinite

from guards.guard import Explanation
from ledger.evidence.metrics import FamilyLimits, MetricFamily
from ledger.findings import Finding, Severity, Skip
from ledger.utils.plural import count

CODE = "TRN010"
TITLE = "the family's mean is below the limit"
READS = (FamilyLimits, MetricFamily)
EXPLANATION = Explanation(
    means="The mean correlation over the time frames is lower than guards.min_correlation, or a time frame "
    "has no correlation because its forecasts are all the same or not numbers. Rehearsals have their own "
    "limit.",
    matters="A rehearsal learns a synthetic series that can be forecast: a low correlation there is a fault "
    "in the plumbing, such as windows paired with the wrong targets. Forecasts that are all the same come "
    "from a model that learned the mean and nothing else.",
    do="In a rehearsal, check the loss curve first: ledger show RUN. In a real run, compare with the parent "
    "run's correlations, and check the learning rates in the effective configuration.",
)


def inspect(expected: FamilyLimits, actual: MetricFamily) -> Iterator[Finding | Skip]:
    """Compare the mean with the limit, and name the members without a value."""
    undefined = [name for name, value in actual.values.items() if not isfinite(value)]
    if undefined:
        yield Finding(
            CODE,
            Severity.ERROR,
            f"the {actual.name} of {', '.join(undefined)} is undefined: the forecasts are all the same, or "
            "not numbers",
            measured=len(undefined),
            threshold=0,
            evidence={"members": undefined},
        )
    elif expected.min_mean is None:
        yield Skip(CODE, f"no lower limit of the {actual.name} is set")
    elif actual.mean < expected.min_mean:
        yield Finding(
            CODE,
            Severity.ERROR,
            f"the mean {actual.name} is {actual.mean:.4f}, below the limit of {expected.min_mean:g}, over "
            f"{count(len(actual.values), 'member')}",
            measured=actual.mean,
            threshold=expected.min_mean,
            evidence={"signature": actual.signature, "members": dict(actual.values)},
        )
