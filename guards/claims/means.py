"""CLM004: a stated mean is not the mean of its values."""

from collections.abc import Iterator
from statistics import fmean

from guards.claims.formatting import contradiction
from guards.guard import Explanation
from ledger.evidence.imported_claims import Consistency, Mean, WrittenLog
from ledger.findings import Finding

CODE = "CLM004"
TITLE = "a stated mean is not the mean of its values"
READS = (Consistency, WrittenLog)
EXPLANATION = Explanation(
    means="A mean is stated below its values, and their arithmetic mean is a different number.",
    matters="It may be the mean of other values (an earlier epoch, another set), or weighted in a way that "
    "is not stated. A comparison by this mean compares something that the log does not show.",
    do="Compute it again from the values, or state how it is weighted.",
)


def inspect(_expected: Consistency, actual: WrittenLog) -> Iterator[Finding]:
    """One finding for each mean that is wrong by at least one unit of its last digit."""
    for mean in actual.means:
        value = fmean(mean.values)
        if abs(value - mean.stated) >= 10.0**-mean.decimals - 1e-12:
            yield _finding(mean, value)


def _finding(mean: Mean, value: float) -> Finding:
    who = f"{mean.experiment}: " if mean.experiment else ""
    return contradiction(
        CODE,
        f"{who}the mean of the {len(mean.values)} values is {value:.{mean.decimals}f}, not "
        f"{mean.stated:.{mean.decimals}f} (line {mean.line}, {mean.label})",
        experiments=[mean.experiment],
        lines=[mean.line],
        measured=mean.stated,
        threshold=value,
    )
