"""CKP022: weights did not change between two checkpoints of a training."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from guards.checkpoint.formatting import joined
from guards.checkpoint.skips import untraced
from guards.guard import Explanation
from ledger.evidence.snapshot import Snapshot
from ledger.findings import Finding, Severity, Skip

CODE = "CKP022"
TITLE = "weights did not change in training"
READS = (Snapshot, Snapshot)
EXPLANATION = Explanation(
    means="No parameter that requires gradients has changed since the previous checkpoint or the start of "
    "the training, or none of a part of the model with at least four of them (the encoder, the decoder), "
    "over at least 5 steps. Parameters that were frozen on purpose do not count, nor do single ones: a "
    "bias without a gradient, or a norm in bfloat16 that a small step does not move.",
    matters="An optimizer that was made from another copy of the model, or before it was moved, steps "
    "without effect: the loss is logged, checkpoints are written, and each equals the first.",
    do="Check that the optimizer was made from the parameters of this very model, after it was moved to "
    "its device, and that the learning rate is not 0. If a part is frozen on purpose, set requires_grad to "
    "False.",
)
LEAST_STEPS = 5  # the first step of a warm-up has a rate of 0, and the first steps under AMP are skipped
LEAST_NAMES = 4  # of a part: fewer may lack a gradient


def inspect(expected: Snapshot, actual: Snapshot) -> Iterator[Finding | Skip]:  # noqa: ARG001
    """Compare the whole model first, then its parts."""
    trace = expected.trace
    if trace is None:
        yield untraced(CODE, expected)
        return
    if trace.since is None or trace.step - trace.since < LEAST_STEPS or not trace.unmoved:
        return
    unmoved = set(trace.unmoved)
    whole = unmoved.issuperset(trace.trainable)
    parts = [part for part, names in _parts(trace.trainable) if names <= unmoved]
    if whole or parts:
        what = "no trained parameter" if whole else f"no parameter of {joined(parts)}"
        yield Finding(
            CODE,
            Severity.WARNING,
            f"{what} changed between step {trace.since:,} and step {trace.step:,}, although "
            f"{'they require' if whole or len(parts) > 1 else 'it requires'} gradients",
            measured=len(unmoved),
            threshold=len(trace.trainable),
            evidence={"parts": sorted(parts), "unmoved": sorted(unmoved), "whole": whole},
        )


def _parts(names: Iterable[str]) -> Iterator[tuple[str, set[str]]]:
    """The parameters of each part; in `model.encoder.layers.0.fc1.weight` that is `model.encoder`."""
    parts: dict[str, set[str]] = defaultdict(set)
    for name in names:
        first, *others = name.split(".")
        part = f"{first}.{others[0]}" if first == "model" and len(others) > 1 else first
        parts[part].add(name)
    yield from ((part, names) for part, names in parts.items() if len(names) >= LEAST_NAMES)
