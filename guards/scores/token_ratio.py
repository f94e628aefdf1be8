"""SCO003: the output has many fewer or many more tokens than the reference."""

from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.scores import ScoreLimits, Scores
from ledger.findings import Finding, Severity, Skip

CODE = "SCO003"
TITLE = "the output's length is far from the reference's"
READS = (ScoreLimits, Scores)
EXPLANATION = Explanation(
    means="Output tokens divided by reference tokens, both counted by BLEU's tokenizer over the whole "
    "text, is outside the allowed range (0.7 to 1.5 unless the spec says otherwise).",
    matters="Output that stops early, or that is only `. . . . .`, is short; output that loops is long. A "
    "ratio of 0.506 alone more than halves BLEU: its brevity penalty is exp(1 - 1/0.506) = 0.377.",
    do="Check max_length, length_penalty and early_stopping in the effective configuration, and the "
    "lines that the repetition, punctuation and empty guards name.",
)


def inspect(expected: ScoreLimits, actual: Scores) -> Iterator[Finding | Skip]:
    """Compare output tokens per reference token with the allowed range, ends included."""
    if actual.reference_tokens == 0:
        yield Skip(CODE, "the reference has no tokens to compare with")
        return
    ratio = actual.output_tokens / actual.reference_tokens
    if not expected.min_token_ratio <= ratio <= expected.max_token_ratio:
        side, limit = (
            ("less than", expected.min_token_ratio)
            if ratio < expected.min_token_ratio
            else ("more than", expected.max_token_ratio)
        )
        yield Finding(
            CODE,
            Severity.ERROR,
            f"the output has {actual.output_tokens:,} tokens and the reference "
            f"{actual.reference_tokens:,}: a ratio of {ratio:.3f}, {side} the allowed {limit:g} "
            f"(brevity penalty {actual.brevity_penalty:.3f})",
            measured=ratio,
            threshold=limit,
            evidence={
                "output_tokens": actual.output_tokens,
                "reference_tokens": actual.reference_tokens,
                "brevity_penalty": actual.brevity_penalty,
                "signature": actual.bleu.signature,
            },
        )
