"""SCO001: BLEU below the limit."""

from collections.abc import Iterator

from guards.guard import Explanation
from guards.scores.scale import off_scale
from ledger.evidence.scores import ScoreLimits, Scores
from ledger.findings import Finding, Severity, Skip

CODE = "SCO001"
TITLE = "BLEU is below the limit"
READS = (ScoreLimits, Scores)
EXPLANATION = Explanation(
    means="Corpus BLEU (0-100, sacrebleu, with the tokenizer of the output's language) is lower than the "
    "limit in the spec or on the command line.",
    matters="If an earlier run scored well on this reference, a low BLEU points to a wrong language code, "
    "another model's tokenizer, or a checkpoint that was damaged by its reload. A few lines only show a "
    "collapse: 32 lines distinguish BLEU 22 from 1, but a drop of 1 point needs 3,000 to 5,000.",
    do="Compare the signature with that of the score that the limit comes from: scores of different "
    "tokenizers are not comparable. Then read the worst lines of the text guards. If the limit itself is "
    "wrong, change it in the spec.",
)


def inspect(expected: ScoreLimits, actual: Scores) -> Iterator[Finding | Skip]:
    """Compare corpus BLEU with its lower limit."""
    if expected.min_bleu is None:
        yield Skip(CODE, "no lower limit for BLEU is set")
        return
    yield from off_scale(CODE, "BLEU", expected.min_bleu)
    if actual.bleu.value < expected.min_bleu:
        yield Finding(
            CODE,
            Severity.ERROR,
            f"BLEU {actual.bleu.value:.2f} of 100 is below the limit of {expected.min_bleu:g}, "
            f"over {actual.lines:,} lines",
            measured=actual.bleu.value,
            threshold=expected.min_bleu,
            evidence={
                "signature": actual.bleu.signature,
                "brevity_penalty": actual.brevity_penalty,
                "lines": actual.lines,
            },
        )
