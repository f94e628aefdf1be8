"""What a training tells while it goes on: its series, its saves with their evidence, and where it is.

Standard library and transformers. It looks and writes; the one thing that it changes is the end of a training
that somebody asked to stop.
"""

import json
import math
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from runners.worker.errors import JobError
from runners.worker.failures import explain
from runners.worker.protocol import Events
from runners.worker.shards import write_atomically
from runners.worker.witness import Witness

SERIES = {"loss": "loss", "grad_norm": "grad_norm", "learning_rate": "lr", "eval_loss": "eval_loss"}


class Watch(TrainerCallback):  # type: ignore[misc]  # transformers has no types
    """Sends `step` and `saved` events, keeps evidence and a snapshot of each save, ends on request.

    `stop` is a file whose being there asks the training to end at its next step; `snapshots` a folder where
    each save is hard-linked, so that it outlives the trainer's own deletions; `progress` a file that holds
    the step, which is written before a save, so that no save is beyond it.
    """

    def __init__(
        self, witness: Witness, events: Events, *, stop: Path, snapshots: Path, progress: Path
    ) -> None:
        self._witness, self._events = witness, events
        self._stop, self._snapshots, self._progress = stop, snapshots, progress
        self._began, self._first = time.monotonic(), 0
        self._save_seconds = 0.0
        self._model: Any = None
        self.amp_scale: Callable[[], float | None] = lambda: None
        self.stopped = False

    def save(self, save: Callable[[], None], folder: Path, step: int) -> None:
        """The trainer's own save, timed. For a full disk raises JobError and removes what is half there."""
        self._tell_step(step)
        began = time.monotonic()
        try:
            save()
        except Exception as error:
            checkpoint = folder / f"checkpoint-{step}"
            if explain(error).kind == "no space" or _is_full(folder):
                shutil.rmtree(checkpoint, ignore_errors=True)
                message = f"no space left to save checkpoint-{step}; the saves before it are as they were"
                raise JobError("no space", message, "free some, then go on with --resume") from error
            raise
        self._save_seconds = time.monotonic() - began

    def on_train_begin(self, args: Any, state: Any, control: Any, **known: Any) -> None:  # noqa: ARG002
        """The model is known from here on."""
        self._model = known["model"]
        self._began, self._first = time.monotonic(), state.global_step
        self._events.progress("training", state.global_step, state.max_steps)

    def on_step_end(self, args: Any, state: Any, control: Any, **known: Any) -> None:  # noqa: ARG002
        """Tell where it is, and end it where that was asked for."""
        rate = (state.global_step - self._first) / max(time.monotonic() - self._began, 1e-9)
        self._events.progress("training", state.global_step, state.max_steps, rate)
        if self._stop.exists():
            self.stopped = True
            control.should_training_stop = True

    def on_log(self, args: Any, state: Any, control: Any, **known: Any) -> None:  # noqa: ARG002
        """One point of the series; what is not finite travels as text, for JSON has no word for it."""
        logs = known.get("logs") or {}
        point = {name: _number(logs[key]) for key, name in SERIES.items() if key in logs}
        if point:
            scale = self.amp_scale()
            self._events.send("step", step=state.global_step, amp_scale=_number(scale), **point)
            self._tell_step(state.global_step)

    def on_save(self, args: Any, state: Any, control: Any, **known: Any) -> None:  # noqa: ARG002
        """Look at the model, write what was seen beside the save, and link both into the snapshots."""
        checkpoint = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        try:
            seconds = self._witness.write(checkpoint, self._witness.observe(self._model, state.global_step))
            snapshot = link_tree(checkpoint, self._snapshots / checkpoint.name)
        except OSError as error:
            known_error = explain(error)
            message = f"no evidence could be kept of {checkpoint.name}: {known_error.message}"
            raise JobError(known_error.kind, message, known_error.hint) from error
        self._events.send(
            "saved",
            step=state.global_step,
            folder=str(checkpoint),
            snapshot=str(snapshot),
            save_seconds=round(self._save_seconds, 4),
            evidence_seconds=round(seconds, 4),
        )

    def _tell_step(self, step: int) -> None:
        write_atomically(self._progress, json.dumps({"step": step}).encode())


def link_tree(folder: Path, copy: Path) -> Path:
    """A copy of a folder that shares its files; whatever stood in its place is gone.

    Files are copied where the file system has no hard links, or lies elsewhere.
    """
    shutil.rmtree(copy, ignore_errors=True)
    partial = copy.with_name(f".{copy.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(folder, partial, copy_function=_link)
    return partial.rename(copy)


def _link(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target


def _is_full(folder: Path) -> bool:
    return shutil.disk_usage(folder).free < 2**20


def _number(value: Any) -> float | str | None:
    if value is None:
        return None
    number = float(value)
    return number if math.isfinite(number) else str(number)
