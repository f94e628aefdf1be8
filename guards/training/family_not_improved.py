"""TRN009: too few members of a family of metrics improved on the parent run."""

from collections.abc import Iterator, Mapping
from math import isfinite

from guards.guard import Explanation
from ledger.evidence.metrics import FamilyLimits, MetricFamily, apart
from ledger.findings import Finding, Severity, Skip
from ledger.utils.json_values import finite_or_name

CODE = "TRN009"
TITLE = "too few members of the family improved"
READS = (FamilyLimits, MetricFamily)
EXPLANATION = Explanation(
    means="Of the time frames that both this run and its parent run measured, fewer than half (or fewer "
    "than guards.min_improved) have a higher correlation than in the parent run. Those that are worse by "
    "more than chance (Fisher's z, 5% level) are listed separately.",
    matters="A mean hides it: one time frame that gains can outweigh five that lose. A change without any "
    "effect improves about half of them, so fewer than half is not a gain; but with few windows a "
    "difference of some hundredths is chance in either direction.",
    do="Check which time frames lost, and whether the difference is beyond chance. If the data or the "
    "schedule changed, see TRN007. Validate on more windows before you trust a small difference.",
)


def inspect(expected: FamilyLimits, actual: MetricFamily) -> Iterator[Finding | Skip]:
    """Count the members whose value is higher than the parent run's."""
    if expected.parent is None:
        yield Skip(CODE, expected.no_parent)
        return
    shared = shared_members(expected.parent, actual)
    if not shared:
        yield Skip(CODE, f"{expected.parent.run} measured none of the same members")
        return
    improved = [name for name, (before, after) in shared.items() if after > before]
    if len(improved) < expected.min_improved * len(shared):
        yield _finding(expected, expected.parent, actual, shared)


def shared_members(before: MetricFamily, after: MetricFamily) -> dict[str, tuple[float, float]]:
    """The values before and after, by member, of the members that have a finite value on both sides."""
    return {
        name: (before.values[name], value)
        for name, value in after.values.items()
        if isfinite(value) and isfinite(before.values.get(name, float("nan")))
    }


def _finding(
    limits: FamilyLimits,
    parent: MetricFamily,
    actual: MetricFamily,
    shared: Mapping[str, tuple[float, float]],
) -> Finding:
    improved = sum(after > before for before, after in shared.values())
    significant = [
        name
        for name, (before, after) in shared.items()
        if after < before and apart(before, parent.counts[name], after, actual.counts[name])
    ]
    changes = ", ".join(f"{name} {before:.4f} -> {after:.4f}" for name, (before, after) in shared.items())
    worse = ", ".join(significant) or "none"
    return Finding(
        CODE,
        Severity.WARNING,
        f"the {actual.name} improved over {parent.run} in {improved} of {len(shared)} members "
        f"({changes}); worse by more than chance: {worse}",
        measured=improved / len(shared),
        threshold=limits.min_improved,
        evidence={
            "parent": parent.run,
            "before": {name: finite_or_name(before) for name, (before, _) in shared.items()},
            "after": {name: finite_or_name(after) for name, (_, after) in shared.items()},
            "worse_beyond_chance": significant,
            "same_signature": parent.signature == actual.signature,
        },
    )
