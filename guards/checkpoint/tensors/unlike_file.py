"""CKP019: the loaded model does not hold the values that its file stores."""

from collections.abc import Iterator

from guards.checkpoint.formatting import listed, tensors
from guards.checkpoint.skips import not_reloaded
from guards.guard import Explanation
from ledger.evidence.snapshot import Snapshot
from ledger.findings import Finding, Severity, Skip

CODE = "CKP019"
TITLE = "the loaded tensors are not those of the file"
READS = (Snapshot, Snapshot)
EXPLANATION = Explanation(
    means="A tensor of the file has a place in the model under its own name, and the loaded model has other "
    "values there. Needs no evidence of the save. Left out are tensors that the library renames, merges or "
    "quantizes, those that its class declares ignored or computed, and a stale copy of a tied matrix, if the "
    "configuration ties it and the loaded values are those of the other name.",
    matters="from_pretrained reports missing and unexpected names, but not values that it replaced: "
    "transformers 4.57.6 loads three untied matrices of a Marian model as one, and BLEU falls from 100 to "
    "1.3 without a message.",
    do="Compare tie_word_embeddings and share_encoder_decoder_embeddings in config.json with the training, "
    "and load it with the version that saved it.",
)


def inspect(_expected: Snapshot, actual: Snapshot) -> Iterator[Finding | Skip]:
    """Name the tensors whose values the loader replaced."""
    if actual.weights is None:
        yield not_reloaded(CODE, "weights", actual)
    elif actual.weights.unlike_file is None:
        yield Skip(CODE, "the tensors of the file could not be compared with those of the model")
    elif unlike := actual.weights.unlike_file:
        yield Finding(
            CODE,
            Severity.ERROR,
            f"{tensors(len(unlike))} with other values than the file stores: {listed(unlike)}",
            measured=len(unlike),
            threshold=0,
            evidence={"tensors": sorted(unlike)},
        )
