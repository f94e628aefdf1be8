"""CKP015: the vocabulary in the checkpoint is not the one that its run trained with."""

from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.provenance import Origin
from ledger.findings import Finding, Severity, Skip

CODE = "CKP015"
TITLE = "the tokenizer is not the run's"
READS = (Origin, Origin)
EXPLANATION = Explanation(
    means="The digest of the vocabulary files in the checkpoint differs from the one that the run recorded.",
    matters="A model whose ids mean other words translates into garbage while weights, logits and "
    "configuration are all unchanged.",
    do="Copy the run's own tokenizer files into the folder, or verify the checkpoint under the run that "
    "it belongs to.",
)


def inspect(expected: Origin, actual: Origin) -> Iterator[Finding | Skip]:
    """Compare the two digests."""
    if expected.tokenizer_digest is None:
        yield Skip(CODE, "no recorded run with a tokenizer matches this checkpoint")
    elif actual.tokenizer_digest is None:
        yield Skip(CODE, "the checkpoint holds no vocabulary files")
    elif expected.tokenizer_digest != actual.tokenizer_digest:
        yield Finding(
            CODE,
            Severity.ERROR,
            f"the vocabulary ({_short(actual.tokenizer_digest)}) is not that of {expected.run or 'the run'} "
            f"({_short(expected.tokenizer_digest)})",
            measured=actual.tokenizer_digest,
            threshold=expected.tokenizer_digest,
            evidence={"run": expected.run},
        )


def _short(digest: str) -> str:
    algorithm, _, value = digest.rpartition(":")
    return f"{algorithm}:{value[:12]}" if algorithm else value[:12]
