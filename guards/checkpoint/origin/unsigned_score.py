"""CKP017: a score is claimed without saying how it was computed."""

from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.provenance import Measured, ScoreClaims
from ledger.findings import Finding, Severity, Skip

CODE = "CKP017"
TITLE = "a score is claimed without its signature"
READS = (ScoreClaims, Measured)
EXPLANATION = Explanation(
    means="A claim about the checkpoint (trainer_state.json, --claim) is a bare number: no tokenizer, no "
    "smoothing, no scale, no number of lines.",
    matters="The same Japanese output scores BLEU 25.3 with ja-mecab, 40.2 with characters and 17.0 with "
    "13a. A bare number can be compared with nothing.",
    do="Keep the signature that sacrebleu prints beside the score (metric.get_signature()). ledger "
    "records it with each score that it computes itself.",
)


def inspect(expected: ScoreClaims, _actual: Measured) -> Iterator[Finding | Skip]:
    """Tell all the bare claims in one finding."""
    if not expected.claims:
        yield Skip(CODE, "no score is claimed of the checkpoint")
        return
    bare = [claim for claim in expected.claims if not claim.signature]
    if bare:
        told = ", ".join(f"{claim.metric} {claim.value:g} ({claim.source})" for claim in bare)
        yield Finding(
            CODE,
            Severity.WARNING,
            f"claimed without a signature: {told}",
            measured=len(bare),
            threshold=0,
            evidence={"claims": [{"metric": claim.metric, "source": claim.source} for claim in bare]},
        )
