"""CKP021: parameters are trained, and the save leaves them out."""

from collections.abc import Iterator

from guards.checkpoint.formatting import listed
from guards.checkpoint.skips import untraced
from guards.guard import Explanation
from ledger.evidence.snapshot import Snapshot
from ledger.findings import Finding, Severity, Skip
from ledger.utils.plural import count

CODE = "CKP021"
TITLE = "trained parameters are not saved"
READS = (Snapshot, Snapshot)
EXPLANATION = Explanation(
    means="A parameter changed since the training started, or since its first save where the start was not "
    "seen, and save_pretrained leaves it out, since its class lists it in _keys_to_ignore_on_save: a "
    "reload computes it anew. Parameters that do not change do not count, although some versions of "
    "transformers let sinusoidal positions require gradients that they never get. Nor do other names of a "
    "saved tensor. Seen at the save, before any reload.",
    matters="transformers 5.24.0 dropped no_grad from Marian's sinusoidal positions, so that they are "
    "trained after from_pretrained and computed anew at each reload: BLEU fell from 6.83 in training to "
    "6.20. The digests cannot show it, since they cover what is saved.",
    do="Freeze the parameters before training: parameter.requires_grad_(False). Or train with a version of "
    "the library that freezes them. A model that was already trained can be saved with them: remove the "
    "names from the class's _keys_to_ignore_on_save, save, and load it in the same way.",
)


def inspect(expected: Snapshot, actual: Snapshot) -> Iterator[Finding | Skip]:  # noqa: ARG001
    """Name the parameters that changed."""
    trace = expected.trace
    if trace is None:
        yield untraced(CODE, expected)
        return
    names = sorted(name for name, moved in trace.not_saved.items() if moved)
    if names:
        one = len(names) == 1
        yield Finding(
            CODE,
            Severity.ERROR,
            f"{count(len(names), 'parameter')} changed in training and {'is' if one else 'are'} not saved: "
            f"{listed(names)}; a reload computes {'it' if one else 'them'} anew",
            measured=len(names),
            threshold=0,
            evidence={"parameters": names},
        )
