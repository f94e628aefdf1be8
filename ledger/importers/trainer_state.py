"""What trainer_state.json, the Hugging Face Trainer's own notes in a checkpoint, says of it. Reading only."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ledger.findings import Json
from ledger.utils.json_values import to_number
from ledger.utils.text import shorten

NAME = "trainer_state.json"
_MOST_STEPS = 2**53  # beyond it JSON readers differ (RFC 8785)


@dataclass(frozen=True, slots=True)
class TrainerState:
    """`step` is global_step, `log` every row of log_history, `best` and `best_checkpoint` as they stand.

    `problem` says why the file, which is there, could not be read; everything else is empty then.
    """

    step: int | None = None
    log: tuple[Mapping[str, Json], ...] = ()
    best: float | None = None
    best_checkpoint: str | None = None
    problem: str | None = None


def read_trainer_state(checkpoint: Path) -> TrainerState:
    """The notes in a checkpoint's folder; an empty state where there are none. Bad content raises nothing."""
    path = checkpoint / NAME
    if not path.is_file():
        return TrainerState(problem="it is not a file" if path.exists() else None)
    try:
        # The standard library's reader, for the Trainer writes NaN, which is no JSON.
        content = json.loads(path.read_bytes())
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
    best, where = content.get("best_metric"), content.get("best_model_checkpoint")
    return TrainerState(
        step=step,
        log=tuple(log),
        best=to_number(best),
        best_checkpoint=where if isinstance(where, str) else None,
    )


def _shown(value: Json) -> str:
    return "missing" if value is None else shorten(repr(value), 40)
