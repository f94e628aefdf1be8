"""CKP003: the names in the file and in the model do not match, so tensors were newly initialised."""

from collections.abc import Collection, Iterator

from guards.checkpoint.formatting import listed, tensors
from guards.checkpoint.skips import not_reloaded
from guards.guard import Explanation
from ledger.evidence.snapshot import Snapshot, Weights
from ledger.findings import Finding, Severity, Skip

CODE = "CKP003"
TITLE = "tensors are missing in the file, or have no place in the model"
READS = (Snapshot, Snapshot)
EXPLANATION = Explanation(
    means="The file has no tensor for some names of the model (missing), or one of another shape "
    "(mismatched), and these were filled with random numbers; or the file has tensors that the model has no "
    "place for (unexpected). A name that shares its tensor with another one is not missing, nor is one "
    "that the library computes and that equals the saved one.",
    matters="from_pretrained only warns, and the model writes garbage: a Marian model saved by transformers "
    "4.57.6 and loaded by 5.0.0, which overrode tie_word_embeddings, had lm_head.weight newly initialised, "
    "and BLEU fell from 100 to 0.1.",
    do="Load it with the version that saved it, and compare tie_word_embeddings and "
    "share_encoder_decoder_embeddings in config.json with the values of the training. Names that "
    "differ by a prefix were saved from a wrapper: save the inner model.",
)
# Buffers that older versions wrote into the file and newer ones compute: not trained tensors.
LEFTOVERS = (".version", "position_ids", "embed_positions.weights", ".inv_freq", ".masked_bias")


def inspect(expected: Snapshot, actual: Snapshot) -> Iterator[Finding | Skip]:
    """Name the tensors that were newly initialised, then those of the file that were dropped."""
    after = actual.weights
    if after is None:
        yield not_reloaded(CODE, "weights", actual)
        return
    new = _new(expected.weights, after)
    dropped = [name for name in after.unexpected if not name.endswith(LEFTOVERS)]
    if new:
        yield _newly_initialised(new, dropped, after)
    if dropped:
        yield _dropped(dropped, expected.weights, after)


def _new(before: Weights | None, after: Weights) -> list[str]:
    saved = before.digests if before else {}
    shared = {name for group in after.ties for name in group if set(group) - set(after.missing)}
    # Without stored evidence, a missing name that shares its storage with a loaded one got its value from
    # there. With it, only the digest shows whether that value is the right one.
    return [
        name
        for name in (*after.missing, *after.mismatched)
        if (after.digests.get(name) != saved[name] if name in saved else name not in shared)
    ]


def _newly_initialised(new: list[str], dropped: list[str], after: Weights) -> Finding:
    of = len(after.digests)
    message = f"{tensors(len(new))} of {of:,} newly initialised: {listed(new)}"
    mismatched = sorted(set(new) & set(after.mismatched))
    if mismatched:
        message += f"; of another shape in the file: {listed(mismatched)}"
    if prefix := _prefix(new, dropped):
        message += f"; the names in the file differ by the prefix {prefix!r}"
    return Finding(
        CODE,
        Severity.ERROR,
        message,
        measured=len(new),
        threshold=0,
        evidence={"new": sorted(new), "mismatched": mismatched, "tensors": of},
    )


def _dropped(dropped: list[str], before: Weights | None, after: Weights) -> Finding:
    complete = before is not None and before.digests.items() <= after.digests.items()
    message = f"{tensors(len(dropped))} of the file have no place in the model: {listed(dropped)}"
    return Finding(
        CODE,
        # If every saved tensor was loaded, the file only contains more than is needed.
        Severity.INFO if complete else Severity.ERROR,
        f"{message}; every saved tensor was loaded nevertheless" if complete else message,
        measured=len(dropped),
        threshold=0,
        evidence={"unexpected": sorted(dropped)},
    )


def _prefix(new: Collection[str], dropped: Collection[str]) -> str | None:
    """The prefix that each name has on one side only: in the file, or in the model."""
    for short, long in ((new, set(dropped)), (dropped, set(new))):
        first = min(short, default="")
        for name in sorted(long):
            prefix = name.removesuffix(first)
            if first and prefix and name.endswith(first) and {prefix + one for one in short} <= long:
                return prefix
    return None
