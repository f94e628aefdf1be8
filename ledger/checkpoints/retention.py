"""Which checkpoints of a training are kept and which are deleted. Pure: nothing is read or removed here."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

State = Literal["verified", "failed", "unverified"]


@dataclass(frozen=True, slots=True)
class SavedCheckpoint:
    """One checkpoint of a folder. `score` is its metric as a number that is better the higher it is.

    `bound` says why it must stay, whatever its state; `size` is in bytes.
    """

    path: Path
    step: int
    state: State
    size: int
    score: float | None = None
    bound: str = ""


@dataclass(frozen=True, slots=True)
class RetentionDecision:
    """Whether a checkpoint is kept, and why."""

    checkpoint: SavedCheckpoint
    keep: bool
    reason: str


def decide(found: Sequence[SavedCheckpoint], *, last: int, best: int) -> list[RetentionDecision]:
    """The decision on each checkpoint of one folder, by step.

    Kept are the newest `last` verified ones, the `best` verified ones with the highest score, of equals the
    later ones, and those that are bound. Where none is verified, the newest that did not fail is kept: it is
    all that there is.
    """
    ordered = sorted(found, key=lambda one: one.step)
    verified = [one for one in ordered if one.state == "verified"]
    newest = verified[-last:] if last else []
    scored = sorted(
        (one for one in verified if one.score is not None), key=lambda one: (one.score or 0.0, one.step)
    )
    highest = scored[-best:] if best else []
    rest = [one for one in ordered if one.state == "unverified"][-1:] if not verified else []
    return [_decision(one, newest, highest, rest) for one in ordered]


def _decision(
    one: SavedCheckpoint,
    newest: Sequence[SavedCheckpoint],
    highest: Sequence[SavedCheckpoint],
    rest: Sequence[SavedCheckpoint],
) -> RetentionDecision:
    reasons = {
        "newest verified": one in newest,
        "best verified": one in highest,
        "newest, and none is verified": one in rest,
        one.bound: bool(one.bound),
    }
    if why := [reason for reason, holds in reasons.items() if holds]:
        return RetentionDecision(one, True, ", ".join(why))
    return RetentionDecision(one, False, "superseded" if one.state == "verified" else one.state)
