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
    means="A mean stands below the values that it is the mean of, and their arithmetic mean is another "
    "number.",
    matters="It may be the mean of other values (an earlier epoch, another set), or weighted in a way that "
    "is not told. A comparison by this mean compares something that the log does not show.",
    do="Work it out again from the values, or say how it was weighted.",
)


def inspect(_expected: Consistency, actual: WrittenLog) -> Iterator[Finding]:
    """One finding for each mean that is off by a whole unit of its last digit or more."""
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
