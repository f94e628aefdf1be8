"""SCO001: BLEU below the limit."""

from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.scores import ScoreLimits, Scores
from ledger.findings import Finding, Severity, Skip

CODE = "SCO001"
TITLE = "BLEU is below the limit"
READS = (ScoreLimits, Scores)
EXPLANATION = Explanation(
    means="Corpus BLEU (0-100, sacrebleu, with the tokenizer of the output's language) is lower than the "
    "limit that the spec or the call sets.",
    matters="A low BLEU on a reference that an earlier run scored well on is how a wrong language code, a "
    "tokenizer of another model or a checkpoint that did not survive its reload shows. Few lines show a "
    "collapse and nothing finer: 32 lines tell BLEU 22 from 1, a drop of 1 point needs 3,000 to 5,000.",
    do="Compare the signature with that of the score which the limit comes from: another tokenizer is "
    "another number. Then read the worst lines of the text guards. If the limit itself is wrong, change "
    "it in the spec.",
)


def inspect(expected: ScoreLimits, actual: Scores) -> Iterator[Finding | Skip]:
    """Hold corpus BLEU against the lowest that is allowed."""
    if expected.min_bleu is None:
        yield Skip(CODE, "no lowest BLEU is set")
    elif actual.bleu.value < expected.min_bleu:
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
