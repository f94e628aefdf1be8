"""SCO005: COMET below the limit."""

from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.scores import Comet, ScoreLimits
from ledger.findings import Finding, Severity, Skip

CODE = "SCO005"
TITLE = "COMET is below the limit"
READS = (ScoreLimits, Comet)
EXPLANATION = Explanation(
    means="The mean of COMET's scores of all lines, times 100, is lower than the limit on the command line.",
    matters="COMET follows human judgement more closely than BLEU, but only within one model: scores of two "
    "COMET models, or of one model in two revisions, are not comparable, and neither are language pairs.",
    do="Compare the signature (model and digest) with that of the score that the limit comes from. "
    "Run the text guards as well: COMET gives points to empty lines and to other languages.",
)


def inspect(expected: ScoreLimits, actual: Comet) -> Iterator[Finding | Skip]:
    """Compare COMET with its lower limit."""
    if expected.min_comet is None:
        yield Skip(CODE, "no lower limit for COMET is set")
    elif actual.metric.value < expected.min_comet:
        yield Finding(
            CODE,
            Severity.ERROR,
            f"COMET {actual.metric.value:.2f} is below the limit of {expected.min_comet:g}, over "
            f"{actual.lines:,} lines",
            measured=actual.metric.value,
            threshold=expected.min_comet,
            evidence={"signature": actual.metric.signature, "lines": actual.lines},
        )
