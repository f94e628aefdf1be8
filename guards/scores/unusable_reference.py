"""SCO004: the reference is blank, a copy of the source or of the output, or the output is the source."""

from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.scores import GivenTexts, ScoreLimits
from ledger.findings import Finding, Severity
from ledger.utils.plural import count

CODE = "SCO004"
TITLE = "the reference is blank or a copy, or the output is the source"
READS = (ScoreLimits, GivenTexts)
EXPLANATION = Explanation(
    means="At least 5% of the lines are blank in the reference, half are equal in reference and source or in "
    "output and source, or 95% in output and reference. Where nearly all lines (95%) are, it is an error, "
    "except for an output that equals its reference: a model that memorized these lines reproduces "
    "them. Or the reference has tabs or tokenized punctuation that the output does not have. With fewer "
    "than 5 lines only a reference that is wholly blank counts.",
    matters="Such a score is a number without a meaning: 0 against a blank reference, 100 against a copy of "
    "the output.",
    do="Look at the first lines of each file. Several references go into a file each, and --reference is "
    "repeated. If a line has no reference, leave it out of all files.",
)
LEAST_LINES = 5
BLANK, SOME, NEARLY_ALL = 0.05, 0.5, 0.95
FEW = 0.1


def inspect(_expected: ScoreLimits, actual: GivenTexts) -> Iterator[Finding]:
    """One finding for each pair of files that is the same, and for each fault of the reference."""
    if actual.blank_reference is not None:
        what = "blank in the reference, so that they score nothing"
        yield from _lines(what, actual.blank_reference, actual, BLANK)
    if actual.lines < LEAST_LINES:
        return
    for what, number, least, most in (
        ("the same in reference and source", actual.reference_is_source, SOME, Severity.ERROR),
        ("the same in output and source: not translated", actual.output_is_source, SOME, Severity.ERROR),
        ("the same in output and reference", actual.output_is_reference, NEARLY_ALL, Severity.WARNING),
    ):
        if number is not None:
            yield from _lines(what, number, actual, least, most)
    yield from _form("a tab: several references go into a file each", actual.tabs, actual)
    yield from _form("a space before the full stop: is it tokenized?", actual.tokenized, actual)


def _lines(
    what: str, number: int, actual: GivenTexts, least: float, most: Severity = Severity.ERROR
) -> Iterator[Finding]:
    share = number / actual.lines
    if share >= least and (actual.lines >= LEAST_LINES or share == 1):
        severity = most if share >= NEARLY_ALL else Severity.WARNING
        yield _finding(severity, f"{number:,} of {count(actual.lines, 'line')} are {what}", share, least)


def _form(what: str, numbers: tuple[int, int], actual: GivenTexts) -> Iterator[Finding]:
    """`numbers` of lines in the reference and in the output."""
    reference, output = (number / actual.lines for number in numbers)
    if reference >= SOME and output <= FEW:
        lines = f"{numbers[0]:,} of {actual.lines:,} lines of the reference, but not of the output,"
        yield _finding(Severity.WARNING, f"{lines} have {what}", reference, SOME)


def _finding(severity: Severity, message: str, share: float, least: float) -> Finding:
    return Finding(CODE, severity, message, measured=share, threshold=least)
