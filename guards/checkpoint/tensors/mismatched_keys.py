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
    "that the library computes and that equals the saved one. A tensor of another shape that is zero in "
    "both the file and the model is a warning: nothing is lost, but from_pretrained refuses it by default.",
    matters="from_pretrained only warns, and the model writes garbage: a Marian model saved by transformers "
    "4.57.6 and loaded by 5.0.0, which overrode tie_word_embeddings, had lm_head.weight newly initialised, "
    "and BLEU fell from 100 to 0.1.",
    do="Load it with the version that saved it, and compare tie_word_embeddings and "
    "share_encoder_decoder_embeddings in config.json with the values of the training. Names that "
    "differ by a prefix, or by a part such as _orig_mod. in their middle, were saved from a wrapper "
    "(torch.compile, DataParallel, FSDP, PEFT): save the inner model.",
)
# Buffers that older versions wrote into the file and newer ones compute: not trained tensors.
WRAPPERS = {
    "_orig_mod.": "torch.compile",
    "_fsdp_wrapped_module.": "FSDP",
    "_checkpoint_wrapped_module.": "activation checkpointing",
    "_forward_module.": "DeepSpeed",
    "base_model.model.": "PEFT",
    "base_layer.": "PEFT",
    "module.": "DataParallel or DDP",
}
LEFTOVERS = (".version", "position_ids", "embed_positions.weights", ".inv_freq", ".masked_bias")


def inspect(expected: Snapshot, actual: Snapshot) -> Iterator[Finding | Skip]:
    """Name the tensors that were newly initialised, then those of the file that were dropped."""
    after = actual.weights
    if after is None:
        yield not_reloaded(CODE, "weights", actual)
        return
    new = [name for name in _new(expected.weights, after) if name not in after.mismatched_zeros]
    dropped = [name for name in after.unexpected if not name.endswith(LEFTOVERS)]
    if new:
        yield _newly_initialised(new, dropped, after)
    if after.mismatched_zeros:
        yield _zeros(after.mismatched_zeros)
    if dropped:
        yield _dropped(dropped, expected.weights, after)


def _new(before: Weights | None, after: Weights) -> list[str]:
    saved = before.digests if before else {}
    shared = {name for group in after.ties for name in group if set(group) - set(after.missing)}
    shared -= set(after.mismatched)  # these are in the file, and were not loaded
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
    if wrapper := _wrapper(new, dropped):
        message += f"; the names in the file contain {wrapper!r}, which {WRAPPERS[wrapper]} adds"
    elif prefix := _prefix(new, dropped):
        message += f"; the names in the file differ by the prefix {prefix!r}"
    return Finding(
        CODE,
        Severity.ERROR,
        message,
        measured=len(new),
        threshold=0,
        evidence={"new": sorted(new), "mismatched": mismatched, "tensors": of},
    )


def _zeros(names: Collection[str]) -> Finding:
    return Finding(
        CODE,
        Severity.WARNING,
        f"of another shape in the file, but zero there and in the model: {listed(names)}; from_pretrained "
        "loads it only with ignore_mismatched_sizes=True",
        measured=len(names),
        threshold=0,
        evidence={"mismatched": sorted(names)},
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


def _wrapper(new: Collection[str], dropped: Collection[str]) -> str | None:
    """The first part of a wrapper without which names of the file are names of the model."""
    inner = {name: name for name in dropped}
    for wrapper in WRAPPERS:
        inner = {name: short.replace(wrapper, "") for name, short in inner.items()}
    wrapped = [name for name, short in inner.items() if short != name and short in new]
    return next((part for part in WRAPPERS if any(part in name for name in wrapped)), None)


def _prefix(new: Collection[str], dropped: Collection[str]) -> str | None:
    """The prefix that each name has on one side only: in the file, or in the model."""
    for short, long in ((new, set(dropped)), (dropped, set(new))):
        first = min(short, default="")
        for name in sorted(long):
            prefix = name.removesuffix(first)
            if first and prefix and name.endswith(first) and {prefix + one for one in short} <= long:
                return prefix
    return None
