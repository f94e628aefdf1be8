"""What a training tells while it goes on: its series, its saves with their evidence, and where it is.

Standard library and transformers. It looks and writes; the one thing that it changes is the end of a training
that somebody asked to stop.
"""

import json
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from runners.worker.error_messages import explain
from runners.worker.errors import JobError
from runners.worker.evidence.recorder import EvidenceRecorder
from runners.worker.generation.shards import write_atomically
from runners.worker.protocol import Events

SERIES = {"loss": "loss", "grad_norm": "grad_norm", "learning_rate": "lr", "eval_loss": "eval_loss"}


class Watch(TrainerCallback):  # type: ignore[misc]  # transformers has no types
    """Sends `step` and `saved` events, keeps evidence and a snapshot of each save, ends on request.

    The evidence of a save is finished while the training goes on. Only then is the save linked and told, so
    that nobody verifies one whose evidence is not there yet.

    `stop` is a file whose being there asks the training to end at its next step; `snapshots` a folder where
    each save is hard-linked, so that it outlives the trainer's own deletions; `progress` a file that holds
    the step, which is written before a save, so that no save is beyond it.
    """

    def __init__(
        self, witness: EvidenceRecorder, events: Events, *, stop: Path, snapshots: Path, progress: Path
    ) -> None:
        self._witness, self._events = witness, events
        self._stop, self._snapshots, self._progress = stop, snapshots, progress
        self._began, self._first = time.monotonic(), 0
        self._save_seconds = self._waited = 0.0
        self._last_save = ""
        self._model: Any = None
        self.amp_scale: Callable[[], float | None] = lambda: None
        self.stopped = False

    def save(self, save: Callable[[], None], folder: Path, step: int) -> None:
        """The trainer's own save, timed. For a full disk raises JobError and removes what is half there.

        A save deletes older ones (`save_total_limit`), so the evidence of the one before is finished first.
        """
        self._tell_step(step)
        began = time.monotonic()
        self.finish()
        self._waited = time.monotonic() - began
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
        with self._explained():
            self._witness.check()
        rate = (state.global_step - self._first) / max(time.monotonic() - self._began, 1e-9)
        self._events.progress("training", state.global_step, state.max_steps, rate)
        if self._stop.exists():
            self.finish()  # the trainer may delete saves as soon as it ends
            self.stopped = True
            control.should_training_stop = True

    def on_log(self, args: Any, state: Any, control: Any, **known: Any) -> None:  # noqa: ARG002
        """One point of the series."""
        logs = known.get("logs") or {}
        point = {name: number(logs[key]) for key, name in SERIES.items() if key in logs}
        if point:
            scale = self.amp_scale()
            self._events.send("step", step=state.global_step, amp_scale=number(scale), **point)
            self._tell_step(state.global_step)

    def on_save(self, args: Any, state: Any, control: Any, **known: Any) -> None:  # noqa: ARG002
        """Look at the model; what was seen is written, linked and told while the training goes on.

        Of the last save it is all done at once: there is no training left that could go on, and the trainer
        may delete it right after.
        """
        checkpoint = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        self._last_save = checkpoint.name
        tell = partial(self._tell_saved, checkpoint, state.global_step, self._save_seconds, self._waited)
        with self._explained():
            if control.should_training_stop or state.global_step >= state.max_steps:
                tell(self._witness.write(checkpoint, self._witness.observe(self._model, state.global_step)))
            else:
                self._witness.keep(self._model, state.global_step, checkpoint, tell)

    def on_train_end(self, args: Any, state: Any, control: Any, **known: Any) -> None:  # noqa: ARG002
        """No training ends before its last save is told."""
        self.finish()

    def finish(self) -> None:
        """Wait until the last save's evidence is written and told; JobError where it could not be."""
        with self._explained():
            self._witness.finish()

    def _tell_saved(
        self, checkpoint: Path, step: int, save_seconds: float, waited: float, held: float
    ) -> None:
        """Its evidence is there: link it out of the trainer's reach, and say so."""
        snapshot = link_tree(checkpoint, self._snapshots / checkpoint.name)
        self._events.send(
            "saved",
            step=step,
            folder=str(checkpoint),
            snapshot=str(snapshot),
            save_seconds=round(save_seconds, 4),
            evidence_seconds=round(waited + held, 4),
        )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """What keeps a save from being believed ends the training, in one sentence that names the save."""
        try:
            yield
        except BrokenPipeError:
            raise  # nobody listens any more
        except Exception as error:
            known = explain(error)
            message = f"no evidence could be kept of {self._last_save}: {known.message}"
            raise JobError(known.kind, message, known.hint) from error

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


def number(value: Any) -> float | str | None:
    """A number as an event has it; what is not finite as text, for JSON has no word for it."""
    if value is None:
        return None
    exact = float(value)
    return exact if math.isfinite(exact) else str(exact)
