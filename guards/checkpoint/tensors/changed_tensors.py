"""CKP005: the reloaded tensors differ from those that were saved."""

from collections.abc import Iterator
from dataclasses import dataclass

from guards.checkpoint.formatting import joined, listed, tensors
from guards.checkpoint.skips import unseen
from guards.guard import Explanation
from ledger.evidence.snapshot import Snapshot, Weights
from ledger.findings import Finding, Severity, Skip

CODE = "CKP005"
TITLE = "the tensors differ from those that were saved"
READS = (Snapshot, Snapshot)
EXPLANATION = Explanation(
    means="The digest of a tensor differs from the one that the training process took at the save, or "
    "the tensor is missing. Matrices that were separate and are now shared, or the other way round, are "
    "named. Where the data type was cast, digests cannot be compared: that gives a note, and the logits "
    "decide.",
    matters="This is the only sign of some faults: transformers 4.57.6 ties the matrices of a model that "
    "5.4.0 saved untied, without a missing name and without a message, and BLEU falls from 100 to 1.3. Small "
    "noise on every tensor may change no translation, but the model is not the one that was trained.",
    do="Load it with the version that saved it, and compare tie_word_embeddings and "
    "share_encoder_decoder_embeddings in both configurations. If you saved an average of weights or a merge "
    "on purpose, verify it as a separate checkpoint.",
)


@dataclass(frozen=True, slots=True)
class TensorChanges:
    """The names whose tensors differ from the save, by kind of change.

    `collapsed` holds groups of names that now share one tensor, with the number of tensors at the save;
    `parted` holds groups that shared one at the save, with the number of tensors now.
    """

    changed: list[str]
    lost: list[str]
    cast: list[str]
    added: list[str]
    collapsed: list[tuple[tuple[str, ...], int]]
    parted: list[tuple[tuple[str, ...], int]]


def inspect(expected: Snapshot, actual: Snapshot) -> Iterator[Finding | Skip]:
    """Compare all digests; then report casts, new names and ties that changed no value."""
    before, after = expected.weights, actual.weights
    if before is None or after is None:
        yield unseen(CODE, "weights", expected, actual)
        return
    change = compare(before, after)
    broken = change.changed or change.lost or change.collapsed or change.parted
    if broken:
        yield _broken(change, len(before.digests))
    if change.cast:
        yield _cast(change.cast, before, after)
    if change.added:
        yield _added(change.added)
    if not broken and (retied := _retied(before, after)):
        yield _ties(retied)


def compare(before: Weights, after: Weights) -> TensorChanges:
    """Classify the tensor names of both sides.

    A tensor that only has another name on the other side is neither lost nor added.
    """
    both = sorted(before.digests.keys() & after.digests.keys())
    cast = [name for name in both if before.dtypes.get(name) != after.dtypes.get(name)]
    same_shape = [name for name in cast if before.shapes.get(name) == after.shapes.get(name)]
    return TensorChanges(
        changed=[
            name for name in both if name not in same_shape and before.digests[name] != after.digests[name]
        ],
        lost=_only(before, after),
        cast=same_shape,
        added=_only(after, before),
        collapsed=_collapsed(before, after),
        parted=_collapsed(after, before),
    )


def _only(one: Weights, other: Weights) -> list[str]:
    there = set(other.digests.values())
    return sorted(
        name for name, digest in one.digests.items() if name not in other.digests and digest not in there
    )


def _broken(change: TensorChanges, of: int) -> Finding:
    parts = [f"{joined(names)} are now one matrix and were {n} at the save" for names, n in change.collapsed]
    parts += [f"{joined(names)} were one matrix at the save and are now {n}" for names, n in change.parted]
    if change.changed:
        parts.append(f"{tensors(len(change.changed))} of {of:,} changed: {listed(change.changed)}")
    if change.lost:
        parts.append(f"{tensors(len(change.lost))} lost: {listed(change.lost)}")
    return Finding(
        CODE,
        Severity.ERROR,
        "; ".join(parts),
        measured=len(change.changed) + len(change.lost),
        threshold=0,
        evidence={
            "changed": change.changed,
            "lost": change.lost,
            "collapsed": [sorted(group) for group, _ in change.collapsed],
            "parted": [sorted(group) for group, _ in change.parted],
            "tensors": of,
        },
    )


def _collapsed(apart: Weights, together: Weights) -> list[tuple[tuple[str, ...], int]]:
    """The groups that share storage in `together` and are several tensors in `apart`, with their number."""
    found = []
    for group in together.ties:
        distinct = {apart.digests[name] for name in group if name in apart.digests}
        if len(distinct) > 1:
            found.append((group, len(distinct)))
    return found


def _cast(cast: list[str], before: Weights, after: Weights) -> Finding:
    pairs = sorted({f"{before.dtypes.get(name)} -> {after.dtypes.get(name)}" for name in cast})
    return Finding(
        CODE,
        Severity.INFO,
        f"{tensors(len(cast))} cast ({', '.join(pairs)}): their digests cannot be compared; "
        "the logits show whether the cast matters",
        measured=len(cast),
        evidence={"cast": cast, "data_types": pairs},
    )


def _added(added: list[str]) -> Finding:
    return Finding(
        CODE,
        Severity.WARNING,
        f"{tensors(len(added))} not in the saved model: {listed(added)}",
        measured=len(added),
        threshold=0,
        evidence={"added": added},
    )


def _retied(before: Weights, after: Weights) -> list[str]:
    """The names that share storage on one side only."""
    tied = [{name for group in side.ties for name in group} for side in (before, after)]
    return sorted(tied[0] ^ tied[1])


def _ties(names: list[str]) -> Finding:
    return Finding(
        CODE,
        Severity.INFO,
        f"{joined(names)} share storage on one side only; their values are the same, but further training "
        "would differ",
        measured=len(names),
        threshold=0,
        evidence={"names": names},
    )
