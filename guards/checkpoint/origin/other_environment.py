"""CKP011: the checkpoint was reloaded in an environment other than the one that trained it."""

from collections.abc import Iterator

from guards.guard import Explanation
from ledger.evidence.provenance import Origin
from ledger.evidence.snapshot import Snapshot
from ledger.findings import Finding, Severity, Skip

CODE = "CKP011"
TITLE = "the environment is not the one that trained the model"
READS = (Snapshot, Snapshot)
EXPLANATION = Explanation(
    means="The digest of the environment that reloaded the checkpoint, or the version of a package that "
    "matters for a reload, differs from what the training process recorded at the save.",
    matters="The meaning of a file depends on the version that reads it: tied embeddings of Marian changed "
    "meaning twice between transformers 4.57.6 and 5.4.0. A verdict holds only for the environment in which "
    "it was reached.",
    do="To find out whether the file is sound, verify it in the environment that trained it. To find out "
    "whether it works in this one, read the other findings.",
)


def inspect(expected: Snapshot, actual: Snapshot) -> Iterator[Finding | Skip]:
    """Name the packages whose recorded versions differ."""
    before, after = expected.origin, actual.origin
    differing = _differing(before, after)
    digests = [before.environment, after.environment]
    if not differing and (None in digests or digests[0] == digests[1]):
        if None in digests and not (before.versions and after.versions):
            yield Skip(
                CODE, "the environment of the training is not known" if digests[0] is None else _NOT_NOW
            )
        return
    yield Finding(
        CODE,
        Severity.WARNING,
        f"reloaded with {', '.join(differing)}"
        if differing
        else "reloaded in another environment, though the versions of the packages that matter are the same",
        measured=after.environment,
        threshold=before.environment,
        evidence={"before": dict(before.versions), "after": dict(after.versions)},
    )


_NOT_NOW = "the environment that reloaded the checkpoint is not known"


def _differing(before: Origin, after: Origin) -> list[str]:
    return [
        f"{name} {after.versions[name]} ({version} at the save)"
        for name, version in sorted(before.versions.items())
        if after.versions.get(name, version) != version
    ]
