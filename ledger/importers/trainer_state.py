"""Reads trainer_state.json, the log and step count that the Hugging Face Trainer saves in a checkpoint."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ledger.findings import Json
from ledger.utils.json_values import to_number
from ledger.utils.text import shorten

NAME = "trainer_state.json"
_MOST_STEPS = 2**53  # beyond it JSON readers differ (RFC 8785)


@dataclass(frozen=True, slots=True)
class TrainerState:
    """`step` is global_step, `log` the rows of log_history, `best` and `best_checkpoint` as written.

    `logged`: the settings that the Trainer notes, by the names of TrainingArguments.

    `problem` says why an existing file cannot be read; the other fields are empty then.
    """

    step: int | None = None
    log: tuple[Mapping[str, Json], ...] = ()
    best: float | None = None
    best_checkpoint: str | None = None
    logged: Mapping[str, Json] = field(default_factory=dict)
    problem: str | None = None


def read_trainer_state(checkpoint: Path) -> TrainerState:
    """The state in a checkpoint's folder, empty if there is none. Raises nothing: see `problem`."""
    path = checkpoint / NAME
    if not path.is_file():
        return TrainerState(problem="it is not a file" if path.exists() else None)
    try:
        # The standard library accepts NaN, which the Trainer writes although it is not valid JSON.
        data = path.read_bytes()
        if not data.strip():
            return TrainerState(problem="it is empty")
        if data.startswith(b"version https://git-lfs"):
            return TrainerState(problem="it is a Git LFS pointer; fetch the file with: git lfs pull")
        content = json.loads(data)
    except OSError as error:
        return TrainerState(problem=error.strerror or str(error))
    except (ValueError, RecursionError) as error:
        return TrainerState(problem=f"it is not JSON ({error})")
    return _parse(content)


def _parse(content: Json) -> TrainerState:
    if not isinstance(content, dict):
        return TrainerState(problem="it is not a JSON object")
    step, log = content.get("global_step"), content.get("log_history", [])
    if isinstance(step, bool) or not isinstance(step, int) or not 0 <= step < _MOST_STEPS:
        return TrainerState(problem=f"global_step is {_shown(step)}, not a step")
    if not isinstance(log, list) or not all(isinstance(row, dict) for row in log):
        return TrainerState(problem="log_history is not a list of rows")
    best, checkpoint = content.get("best_metric"), content.get("best_model_checkpoint")
    return TrainerState(
        step=step,
        log=tuple(log),
        best=to_number(best),
        best_checkpoint=checkpoint if isinstance(checkpoint, str) else None,
        logged={
            "max_steps": content.get("max_steps"),
            "per_device_train_batch_size": content.get("train_batch_size"),
        },
    )


def _shown(value: Json) -> str:
    return "missing" if value is None else shorten(repr(value), 40)
