"""Reports a training while it runs: its points, its checkpoints, its current step. Standard library only.

The trainers' callbacks are adapters of these classes: `WorkerReporter` in the ledger's own trainings,
`runners.attach.channel.Channel` in other people's.
"""

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runners.worker.files import link_tree, write_atomically
from runners.worker.messages import Event, SavedCheckpoint, Step, TrainingJob
from runners.worker.protocol import Events

# A Hugging Face Trainer's name of each value of a `Step`.
LOGGED = {"loss": "loss", "grad_norm": "grad_norm", "learning_rate": "lr"}
EVALUATED = "eval_"  # begins the name of each metric of an evaluation
TIMINGS = ("_runtime", "_per_second", "_time")  # end the names of those that say how long it took


class TrainingReporter(ABC):
    """Sends events, stores the current step in the file `progress`, and checks for the file `stop`."""

    def __init__(self, progress: Path, stop: Path) -> None:
        self._progress, self._stop = progress, stop

    @abstractmethod
    def send(self, event: Event) -> None:
        """Send one event to the ledger."""

    def write_step(self, step: int) -> None:
        """Store the current step. Called before a checkpoint is saved, so that none is beyond it."""
        write_atomically(self._progress, json.dumps({"step": step}).encode())

    def report_logs(self, step: int, logs: Mapping[str, Any], amp_scale: float | None = None) -> None:
        """Report what a Hugging Face Trainer logs; nothing where no value of a `Step` is in it."""
        values: dict[str, Any] = {name: _number(logs[key]) for key, name in LOGGED.items() if key in logs}
        if values:
            self.report_point(Step(step, amp_scale=amp_scale, **values))
        measured = {name: _number(value) for name, value in logs.items() if name.startswith(EVALUATED)}
        metrics = {
            name: value
            for name, value in measured.items()
            if value is not None and not name.endswith(TIMINGS)
        }
        if metrics:
            self.report_point(Step(step, evaluation=metrics))

    def report_point(self, point: Step) -> None:
        """Report one point of the training series."""
        self.send(point)
        self.write_step(point.step)

    def report_saved(
        self,
        step: int,
        folder: Path,
        snapshot: Path,
        *,
        save_seconds: float,
        evidence_seconds: float,
        python: Path | None = None,
    ) -> None:
        """Report a checkpoint that can be verified: its evidence is complete. See `SavedCheckpoint`."""
        seconds = round(save_seconds, 4), round(evidence_seconds, 4)
        self.send(SavedCheckpoint(step, folder, snapshot, *seconds, python))

    def stop_requested(self) -> bool:
        """Whether the ledger asks the training to end."""
        return self._stop.exists()


class WorkerReporter(TrainingReporter):
    """Reports through a worker's pipe, with progress; links each checkpoint out of the trainer's reach."""

    def __init__(self, job: TrainingJob[Any], events: Events) -> None:
        super().__init__(job.progress, job.stop)
        self._snapshots, self._events = job.snapshots, events
        self._began, self._first = time.monotonic(), 0

    def send(self, event: Event) -> None:
        """Write the event to the pipe."""
        self._events.send(event)

    def report_start(self, step: int, total: int) -> None:
        """Report the start of the training; a resumed one starts at a later step."""
        self._began, self._first = time.monotonic(), step
        self._events.progress("training", step, total)

    def report_progress(self, step: int, total: int) -> None:
        """Report that a step is done."""
        rate = (step - self._first) / max(time.monotonic() - self._began, 1e-9)
        self._events.progress("training", step, total, rate)

    def link_and_report(
        self, step: int, checkpoint: Path, *, save_seconds: float, evidence_seconds: float
    ) -> None:
        """Hard-link a checkpoint whose evidence is complete, and report it."""
        snapshot = link_tree(checkpoint, self._snapshots / checkpoint.name)
        self.report_saved(
            step, checkpoint, snapshot, save_seconds=save_seconds, evidence_seconds=evidence_seconds
        )


def _number(value: Any) -> float | None:
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError):  # a metric may be a list or text
        return None
