"""REP002: the repeated training diverged from the original."""

import math
from collections.abc import Iterator

from guards.checkpoint.tensors.precision import TOLERANCE
from guards.guard import Explanation
from ledger.evidence.reproduction import SaveTrace, TrainingTrace
from ledger.findings import Finding, Json, Severity, Skip
from ledger.utils.json_values import finite_or_name

CODE = "REP002"
TITLE = "the training is not reproduced"
READS = (TrainingTrace, TrainingTrace)
EXPLANATION = Explanation(
    means="The training was repeated, and a loss, a checkpoint's tensors or its score differs; the finding "
    "names the first step. With the same data type and device all have to be equal. Otherwise a loss may "
    "differ by the effect of rounding on a logit (docs/checkpoints.md), and tensors differ in any case.",
    matters="The first step that differs points to the cause: step 1 to a different start (data, order, "
    "seed, initial weights), a later one to a different order of summation, whose effect grows.",
    do="Check which packages, settings and variables differ, in the tables of ledger reproduce; compare the "
    "number of threads, and whether the training was resumed.",
)


def inspect(expected: TrainingTrace, actual: TrainingTrace) -> Iterator[Finding | Skip]:
    """The first step and the first checkpoint that differ, and whether rounding may explain it."""
    rounding = expected.device.differs_from(actual.device)
    limit = _limit(expected, actual) if rounding else 0.0
    loss = _first_loss(expected, actual)
    save = _first_save(expected, actual)
    if not expected.losses and not expected.saves:
        yield Skip(CODE, f"{expected.run} recorded neither losses nor checkpoints", required=True)
    elif loss is None and save is None:
        return
    else:
        largest = _largest(expected, actual)
        within = bool(rounding) and largest <= limit and _same_steps(expected, actual)
        parts = [part for part in (_loss_text(loss), _checkpoint_text(save)) if part]
        parts.append(f"within tolerance {limit:g}: {rounding}" if within else rounding)
        yield Finding(
            CODE,
            Severity.INFO if within else Severity.ERROR,
            f"the training diverged from {expected.run}: {'; '.join(filter(None, parts))}",
            measured=largest if math.isfinite(largest) else None,
            threshold=limit,
            evidence={"first_loss": _as_json(loss), "first_checkpoint": save},
        )


def _first_loss(before: TrainingTrace, after: TrainingTrace) -> dict[str, Json] | None:
    then, now = dict(before.losses), dict(after.losses)
    if not then or not now:
        return None
    both_since = max(min(then), min(now))  # a resumed training has only its last part
    for step in sorted(then.keys() | now.keys()):
        if step >= both_since and not _equal(then.get(step), now.get(step)):
            return {"step": step, "then": then.get(step), "now": now.get(step)}
    return None


def _equal(then: float | None, now: float | None) -> bool:
    return then == now or (then is not None and now is not None and math.isnan(then) and math.isnan(now))


def _first_save(before: TrainingTrace, after: TrainingTrace) -> dict[str, Json] | None:
    then = {save.step: save for save in before.saves}
    now = {save.step: save for save in after.saves}
    for step in sorted(then.keys() | now.keys()):
        one, other = then.get(step), now.get(step)
        if one is None or other is None:
            return {"step": step, "what": "the checkpoint", "then": one is not None, "now": other is not None}
        for what, a, b in _parts(one, other):
            if a is not None and b is not None and a != b:
                return {"step": step, "what": what, "then": a, "now": b}
    return None


def _parts(one: SaveTrace, other: SaveTrace) -> Iterator[tuple[str, Json, Json]]:
    yield "tensors", one.tensors, other.tensors
    yield "BLEU in memory", one.memory, other.memory
    yield "BLEU reloaded", one.reloaded, other.reloaded


def _largest(before: TrainingTrace, after: TrainingTrace) -> float:
    now = dict(after.losses)
    shared = [(loss, now[step]) for step, loss in before.losses if step in now]
    return max((abs(a - b) for a, b in shared), default=math.inf)


def _same_steps(before: TrainingTrace, after: TrainingTrace) -> bool:
    return [step for step, _ in before.losses] == [step for step, _ in after.losses]


def _limit(before: TrainingTrace, after: TrainingTrace) -> float:
    coarsest = TOLERANCE["bfloat16"]
    return max(TOLERANCE.get(side.device.dtype or "", coarsest) for side in (before, after))


def _as_json(loss: dict[str, Json] | None) -> dict[str, Json] | None:
    """The losses as JSON, which has no NaN and infinity."""
    if loss is None:
        return None
    sides = {key: value for key, value in loss.items() if isinstance(value, float)}
    return {**loss, **{key: finite_or_name(value) for key, value in sides.items()}}


def _loss_text(loss: dict[str, Json] | None) -> str:
    if loss is None:
        return ""
    then, now = ("none" if loss[side] is None else f"{loss[side]:.9g}" for side in ("then", "now"))
    return f"loss {now} at step {loss['step']:,}, {then} in that run"


def _checkpoint_text(save: dict[str, Json] | None) -> str:
    if save is None:
        return ""
    if save["what"] == "tensors":
        return f"the tensors of checkpoint-{save['step']} differ"
    if save["what"] == "the checkpoint":
        return f"checkpoint-{save['step']} exists in only one of the two runs"
    return f"{save['what']} {save['now']:.2f} at checkpoint-{save['step']}, {save['then']:.2f} in that run"
