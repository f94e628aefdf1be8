"""CKP006: the logits or the loss of the reloaded model differ from those at the save."""

import math
from collections.abc import Iterator

from guards.checkpoint.skips import unseen
from guards.checkpoint.tensors.precision import Agreement, Demand, agreement, demand, difference
from guards.guard import Explanation
from ledger.evidence.snapshot import Forward, Snapshot
from ledger.findings import Finding, Severity, Skip
from ledger.utils.json_values import finite_or_name
from ledger.utils.mapping_diff import Difference, differences, listed

CODE = "CKP006"
TITLE = "logits or loss differ from those at the save"
READS = (Snapshot, Snapshot)
EXPLANATION = Explanation(
    means="One forward pass over a fixed batch of token ids gave logits that differ from those of the "
    "training process. At the same data type and device they must be bit-equal; elsewhere they may differ "
    "by a tolerance, and the largest difference is reported as a note.",
    matters="Logits catch what a comparison of tensors cannot: a configuration with another scale, number "
    "of heads or activation function over the same weights. They do not depend on the tokenizer or on "
    "generation settings.",
    do="If tensors differ as well, see CKP003 and CKP005 first, and CKP021 if it names parameters that are "
    "not saved. If neither, compare config.json with the configuration of the training. A warning means "
    "that tensors and configuration are the same and the difference is as small as rounding: other "
    "kernels, or another number of threads.",
)
# Largest relative difference between losses computed from equal logits, in all versions measured.
LOSS_ROUNDING = 1e-4


def inspect(expected: Snapshot, actual: Snapshot) -> Iterator[Finding | Skip]:
    """Require equality where it is possible, a tolerance elsewhere; report every difference."""
    before, after = expected.forward, actual.forward
    if before is None or after is None:
        yield unseen(CODE, "forward", expected, actual)
        return
    if agreement(expected, actual) is not Agreement.EQUAL:
        yield _other_logits(expected, actual, before, after)
    elif str(before.loss) != str(after.loss) and not math.isclose(
        before.loss, after.loss, rel_tol=LOSS_ROUNDING
    ):
        yield Finding(
            CODE,
            Severity.WARNING,
            f"the loss is {after.loss:.4f} and was {before.loss:.4f} at the save, although the logits are "
            "bit-equal: the loss is computed differently",
            measured=finite_or_name(after.loss),
            threshold=finite_or_name(before.loss),
        )


def _other_logits(expected: Snapshot, actual: Snapshot, before: Forward, after: Forward) -> Finding:
    demanded = demand(expected, actual)
    largest = difference(before, after)
    config = _config_differences(expected, actual)
    what = "the loss differs by" if after.max_difference is None else "logits differ by up to"
    losses = f"the loss is {after.loss:.4f} and was {before.loss:.4f} at the save"
    message = f"{what} {largest:.3g} ({demanded}); {losses}"
    return Finding(
        CODE,
        _severity(demanded, expected, actual),
        f"{message}; the configuration differs in {listed(config)}" if config else message,
        measured=finite_or_name(largest),
        threshold=0.0 if demanded.equality else demanded.tolerance,
        evidence={
            "loss": {"before": finite_or_name(before.loss), "after": finite_or_name(after.loss)},
            "data_type": {"before": before.dtype, "after": after.dtype},
            "device": {"before": before.device, "after": after.device},
            "configuration": [one.to_json() for one in config],
        },
    )


def _severity(demanded: Demand, expected: Snapshot, actual: Snapshot) -> Severity:
    if agreement(expected, actual) is Agreement.BEYOND:
        return Severity.ERROR
    if not demanded.equality:
        return Severity.INFO
    before, after = expected.weights, actual.weights
    proven = before is not None and after is not None and before.digests == after.digests
    # With equal tensors and an equal configuration it is the saved model: only rounding differs.
    return Severity.WARNING if proven and not _config_differences(expected, actual) else Severity.ERROR


def _config_differences(expected: Snapshot, actual: Snapshot) -> list[Difference]:
    """Differences in the model settings that both sides have, since a version may not know a setting."""
    if expected.effective is None or actual.effective is None:
        return []
    before, after = expected.effective.model, actual.effective.model
    both = before.keys() & after.keys()
    return list(differences({key: before[key] for key in both}, {key: after[key] for key in both}))
