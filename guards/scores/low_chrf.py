"""SCO002: chrF++ below the limit."""

from collections.abc import Iterator

from guards.guard import Explanation
from guards.scores.scale import off_scale
from ledger.evidence.scores import ScoreLimits, Scores
from ledger.findings import Finding, Severity, Skip

CODE = "SCO002"
TITLE = "chrF++ is below the limit"
READS = (ScoreLimits, Scores)
EXPLANATION = Explanation(
    means="Corpus chrF++ (0-100, sacrebleu, characters and word pairs) is lower than the "
    "limit in the spec or on the command line.",
    matters="chrF++ needs no word tokenizer, so it drops when the output is worse and not when only BLEU's "
    "tokenizer differs. If both are low, the output is bad. If only BLEU is low, check its signature first.",
    do="Read the worst lines of the text guards and compare with the run that the limit comes from. If the "
    "limit itself is wrong, change it in the spec.",
)


def inspect(expected: ScoreLimits, actual: Scores) -> Iterator[Finding | Skip]:
    """Compare corpus chrF++ with its lower limit."""
    if expected.min_chrf is None:
        yield Skip(CODE, "no lower limit for chrF++ is set")
        return
    yield from off_scale(CODE, "chrF++", expected.min_chrf)
    if actual.chrf.value < expected.min_chrf:
        yield Finding(
            CODE,
            Severity.ERROR,
            f"chrF++ {actual.chrf.value:.2f} of 100 is below the limit of {expected.min_chrf:g}, "
            f"over {actual.lines:,} lines",
            measured=actual.chrf.value,
            threshold=expected.min_chrf,
            evidence={"signature": actual.chrf.signature, "lines": actual.lines},
        )
