"""CKP017: a claimed score does not say how it was computed."""

from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.provenance import Measured, ScoreClaims
from ledger.findings import Finding, Severity, Skip

CODE = "CKP017"
TITLE = "a claimed score has no signature"
READS = (ScoreClaims, Measured)
EXPLANATION = Explanation(
    means="A score claimed for the checkpoint (trainer_state.json, --claim) is a bare number: no tokenizer, "
    "no smoothing, no scale, no number of lines.",
    matters="The same Japanese output scores BLEU 25.3 with ja-mecab, 40.2 with characters and 17.0 with "
    "13a. A bare number cannot be compared with anything.",
    do="Store sacrebleu's signature with the score (metric.get_signature()). ledger records it with each "
    "score that it computes itself.",
)


def inspect(expected: ScoreClaims, _actual: Measured) -> Iterator[Finding | Skip]:
    """Report all claims without a signature in one finding."""
    if not expected.claims:
        yield Skip(CODE, "no score is claimed for the checkpoint")
        return
    bare = [claim for claim in expected.claims if not claim.signature]
    if bare:
        scores = ", ".join(f"{claim.metric} {claim.value:g} ({claim.source})" for claim in bare)
        yield Finding(
            CODE,
            Severity.WARNING,
            f"claimed without a signature: {scores}",
            measured=len(bare),
            threshold=0,
            evidence={"claims": [{"metric": claim.metric, "source": claim.source} for claim in bare]},
        )
