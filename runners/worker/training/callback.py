"""The callback of the ledger's own trainings with a Hugging Face Trainer: evidence of each checkpoint.

It reads the model and changes nothing, except that it ends a training that is asked to stop.
"""

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
from runners.worker.training.reporter import WorkerReporter


class EvidenceCallback(TrainerCallback):  # type: ignore[misc]  # transformers has no types
    """Reports points and checkpoints, records evidence of each checkpoint, ends the training on request.

    The evidence of a checkpoint is completed while the training goes on. Only then is the checkpoint linked
    and reported, so that nobody verifies one whose evidence is incomplete.
    """

    def __init__(self, recorder: EvidenceRecorder, reporter: WorkerReporter) -> None:
        self._recorder, self._reporter = recorder, reporter
        self._save_seconds = self._waited = 0.0
        self._last_checkpoint = ""
        self._model: Any = None
        self.amp_scale: Callable[[], float | None] = lambda: None
        self.stopped = False

    def save(self, save: Callable[[], None], folder: Path, step: int) -> None:
        """Run the trainer's own `save`, timed. Raises JobError if the disk is full, keeping no partial one.

        A save deletes older checkpoints (`save_total_limit`), so the last one's evidence is completed first.
        """
        self._reporter.write_step(step)
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
                message = f"no space left to save checkpoint-{step}; the checkpoints before it are intact"
                raise JobError("no space", message, "free some, then go on with --resume") from error
            raise
        self._save_seconds = time.monotonic() - began

    def on_train_begin(self, args: Any, state: Any, control: Any, **known: Any) -> None:  # noqa: ARG002
        """Take the model, and report the start."""
        self._model = known["model"]
        self._recorder.trace.begin(self._model, state.global_step, state.log_history)
        self._reporter.report_start(state.global_step, state.max_steps)

    def on_step_end(self, args: Any, state: Any, control: Any, **known: Any) -> None:  # noqa: ARG002
        """Report progress, and end the training on request."""
        with self._explained():
            self._recorder.check()
        self._reporter.report_progress(state.global_step, state.max_steps)
        if self._reporter.stop_requested():
            self.finish()  # the trainer may delete checkpoints as soon as it ends
            self.stopped = True
            control.should_training_stop = True

    def on_log(self, args: Any, state: Any, control: Any, **known: Any) -> None:  # noqa: ARG002
        """Report one point of the training series."""
        self._reporter.report_logs(state.global_step, known.get("logs") or {}, self.amp_scale())

    def on_save(self, args: Any, state: Any, control: Any, **known: Any) -> None:  # noqa: ARG002
        """Record evidence; it is written, and the checkpoint reported, while the training goes on.

        For the last checkpoint everything is done at once, since the trainer may delete it right after.
        """
        checkpoint = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        self._last_checkpoint = checkpoint.name
        report = partial(self._report, checkpoint, state.global_step, self._save_seconds, self._waited)
        with self._explained():
            if is_last(state, control):
                captured = self._recorder.observe(self._model, state.global_step)
                report(self._recorder.write(checkpoint, captured))
            else:
                self._recorder.keep(self._model, state.global_step, checkpoint, report)

    def on_train_end(self, args: Any, state: Any, control: Any, **known: Any) -> None:  # noqa: ARG002
        """Report the last checkpoint before the training ends."""
        self.finish()

    def finish(self) -> None:
        """Wait until the last checkpoint is reported; JobError where its evidence could not be recorded."""
        with self._explained():
            self._recorder.finish()

    def _report(
        self, checkpoint: Path, step: int, save_seconds: float, waited: float, recording: float
    ) -> None:
        self._reporter.link_and_report(
            step, checkpoint, save_seconds=save_seconds, evidence_seconds=waited + recording
        )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """An error in recording evidence ends the training, with one sentence that names the checkpoint."""
        try:
            yield
        except BrokenPipeError:
            raise  # the parent has closed the pipe
        except Exception as error:
            known = explain(error)
            message = f"no evidence could be recorded for {self._last_checkpoint}: {known.message}"
            raise JobError(known.kind, message, known.hint) from error


def is_last(state: Any, control: Any) -> bool:
    """Whether a Hugging Face Trainer ends after this step."""
    return bool(control.should_training_stop or state.global_step >= state.max_steps)


def _is_full(folder: Path) -> bool:
    return shutil.disk_usage(folder).free < 2**20
