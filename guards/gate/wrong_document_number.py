"""GAT005: a number that a document attributes to a run differs from the one in the journal."""

import re
from collections.abc import Iterator
from decimal import Decimal

from guards.guard import Explanation
from ledger.evidence.gate import DocumentClaim, DocumentClaims, Numbers
from ledger.findings import Finding, Severity

CODE = "GAT005"
TITLE = "a claimed number differs from the journal"
READS = (Numbers, DocumentClaims)
EXPLANATION = Explanation(
    means="A Markdown file has a number between `<!-- ledger: RUN METRIC -->` and `<!-- /ledger -->`, and "
    "the journal has a different one for that run and metric, rounded to the precision of the text; or it "
    "has no such run or metric; or the mark is invalid. Marks in code blocks are examples and not claims.",
    matters="A README outlives the run that it describes. This is how a BLEU of 33.03 and one of 0.22 come "
    "to be reported for one model.",
    do="Write the journal's number, which the finding names: ledger gate --fix-claims does so. If the claim "
    "is about an older run, name that "
    "run by its id instead of the experiment.",
)
NUMBER = re.compile(r"[-+−]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[-+−]?\d+(?:\.\d+)?")


def inspect(expected: Numbers, actual: DocumentClaims) -> Iterator[Finding]:
    """Yield one finding for each claim that is wrong or cannot be read."""
    for claim in actual.claims:
        wrong = claim.problem or problem(claim, expected)
        if wrong:
            key = (claim.run, claim.metric)
            yield Finding(
                CODE,
                Severity.ERROR,
                f"{claim.path}:{claim.line} {wrong}",
                measured=claim.text,
                threshold=expected.values.get(key),
                evidence={
                    "file": claim.path,
                    "line": claim.line,
                    "run": expected.runs.get(claim.run, claim.run),
                    "metric": claim.metric,
                },
            )


def problem(claim: DocumentClaim, expected: Numbers) -> str:
    """What is wrong with a claim whose mark is valid; empty if its number is the journal's."""
    key = (claim.run, claim.metric)
    if key in expected.missing:
        return expected.missing[key]
    numbers = NUMBER.findall(claim.text)
    if len(numbers) != 1:
        return f"claims {claim.text!r} of {claim.run} {claim.metric}, which is not one number"
    recorded = expected.values[key]
    unit = "%" if "%" in claim.text else ""
    percent = bool(unit) and key in expected.shares  # BLEU is 0-100 as it is
    if is_same(numbers[0], recorded, percent=percent):
        return ""
    shown = recorded * 100 if percent else recorded
    places = max(2, _places(numbers[0]))
    return (
        f"claims {claim.text} as {claim.metric} of {claim.run}; the journal has {shown:.{places}f}{unit} "
        f"({expected.runs[claim.run]})"
    )


def is_same(written: str, recorded: float, *, percent: bool = False) -> bool:
    """Whether a written number is the recorded one, rounded to the decimals of the written one.

    Half a unit of the last decimal is allowed in either direction: 33.03 is both 33.025 and 33.035. With
    `percent` the recorded number is a share (0-1).
    """
    number = Decimal(written.replace(",", "").replace("−", "-"))
    exact = Decimal(repr(recorded)) * (100 if percent else 1)
    return abs(number - exact) <= Decimal(1).scaleb(-_places(written)) / 2


def _places(written: str) -> int:
    return len(written.partition(".")[2])
