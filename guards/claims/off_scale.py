"""CLM006: a score is not on the scale of the log's other scores."""

from collections.abc import Iterator

from guards.claims.formatting import at, contradiction
from guards.guard import Explanation
from ledger.evidence.imported_claims import Consistency, Statement, WrittenLog
from ledger.findings import Finding

CODE = "CLM006"
TITLE = "a score is off the scale of the others"
READS = (Consistency, WrittenLog)
EXPLANATION = Explanation(
    means="A score is at most 1 in a log whose other scores of that metric are above 1, and a hundred times "
    "the score would be among them. A score that is far too low on either scale is a bad score and not a "
    "finding.",
    matters="0.22 may mean 22 of 100, or 0.22 of 100: a good model or one that did not learn. Mistaking one "
    "for the other misleads the search for a fault.",
    do="Check how the pipeline computed it: sacrebleu's scores are 0-100. Write the scale and the signature "
    "next to the number.",
)


def inspect(expected: Consistency, actual: WrittenLog) -> Iterator[Finding]:
    """One finding for each experiment and metric that has such scores."""
    metrics = dict.fromkeys(one.key for one in actual.statements if one.kind == "score" and one.key != "loss")
    for metric in metrics:
        scores = [one for one in actual.statements if one.kind == "score" and one.key == metric]
        usual = [one for one in scores if one.value > 1]
        if not usual:
            continue
        lowest = min(one.value for one in usual)
        odd = [one for one in scores if 0 < one.value <= 1 and 100 * one.value >= lowest / expected.scale]
        for experiment in dict.fromkeys(one.experiment for one in odd):
            yield _finding(metric, [one for one in odd if one.experiment == experiment], usual)


def _finding(metric: str, odd: list[Statement], usual: list[Statement]) -> Finding:
    value = odd[0].value
    highest = max(usual, key=lambda one: float(one.value))
    return contradiction(
        CODE,
        f"{odd[0].experiment}: {metric} {value:g} ({at(one.line for one in odd)}) is in one log with "
        f"{metric} {highest.value:g} (line {highest.line}), which is on a scale of 100: it may be "
        f"{value:g} of 100, not {100 * value:g}",
        experiments=[odd[0].experiment],
        lines=[highest.line, *(one.line for one in odd)],
        measured=value,
        threshold=1,
    )
