"""CLM003: a count and its percentage do not agree."""

from collections.abc import Iterator

from guards.claims.formatting import contradiction
from guards.guard import Explanation
from ledger.evidence.imported_claims import ClaimedShare, Consistency, WrittenLog
from ledger.findings import Finding

CODE = "CLM003"
TITLE = "a count and its percentage disagree"
READS = (Consistency, WrittenLog)
EXPLANATION = Explanation(
    means="A line states a count and a percentage of the same thing, and they do not match for the total "
    "that is stated with them, or for the experiment's number of lines. Rounding in either direction is "
    "allowed.",
    matters="One of the two was mistyped, or comes from another run; both will be quoted.",
    do="Count again: ledger check OUTPUT --source FILE --lang ja. Correct the line and import the log again.",
)


def inspect(_expected: Consistency, actual: WrittenLog) -> Iterator[Finding]:
    """One finding for each line that is wrong by at least one unit of its last digit."""
    for share in actual.shares:
        percent = 100 * share.count / share.total if share.total else None
        if percent is None or abs(percent - share.percent) < 10.0**-share.decimals - 1e-9:
            continue
        yield _finding(share, percent)


def _finding(share: ClaimedShare, percent: float) -> Finding:
    who = f"{share.experiment}: " if share.experiment else ""
    return contradiction(
        CODE,
        f"{who}{share.count:,.0f} of {share.total:,.0f} is {percent:.{share.decimals + 1}f}%, not "
        f"{share.percent:.{share.decimals}f}% (line {share.line}, {share.label})",
        experiments=[share.experiment],
        lines=[share.line],
        measured=share.percent / 100,
        threshold=percent / 100,
    )
