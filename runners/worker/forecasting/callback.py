"""The callback of a forecaster's training: saves checkpoints with evidence and reports them.

A checkpoint is a folder `checkpoint-STEP` that holds Lightning's own file, and in `ledger/` what a fresh
process needs to compare a reload with the model in memory.
"""

import shutil
import time
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch

from runners.worker.error_messages import explain
from runners.worker.errors import JobError
from runners.worker.forecasting import evidence
from runners.worker.messages import FamilyMeasurement, Forecast, Step
from runners.worker.protocol import Events
from runners.worker.training.reporter import WorkerReporter


class ForecastCallback(pl.Callback):  # type: ignore[misc]  # Lightning is Any here
    """Saves a checkpoint after each epoch, reports points and checkpoints, ends the training on request.

    The job's folder keeps the newest `save_total_limit` checkpoints (None: all).
    """

    def __init__(self, job: Forecast, probe: evidence.Probe, events: Events) -> None:
        self._folder = job.folder
        self._limit = job.training.get("save_total_limit")
        self._origin = {"run": job.run, "environment": job.environment}
        self._probe, self._reporter = probe, WorkerReporter(job, events)
        self._norm: float | None = None
        self.stopped = False

    def on_train_start(self, trainer: pl.Trainer, pl_module: Any) -> None:  # noqa: ARG002
        """Report the start."""
        self._reporter.report_start(trainer.global_step, int(trainer.estimated_stepping_batches))

    def on_before_optimizer_step(self, trainer: pl.Trainer, pl_module: Any, optimizer: Any) -> None:  # noqa: ARG002
        """The norm before clipping, with the AMP scale divided out: Lightning calls this in between."""
        if self._is_logged(trainer, trainer.global_step + 1):
            gradients = [one.grad for one in pl_module.parameters() if one.grad is not None]
            self._norm = float(torch.nn.utils.get_total_norm(gradients))

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, *_batch: Any) -> None:  # noqa: ARG002
        """Report progress and every few steps a point, and end the training on request."""
        step = trainer.global_step
        if self._is_logged(trainer, step):
            rate = float(trainer.optimizers[0].param_groups[-1]["lr"])
            loss, scale = float(outputs["loss"]), amp_scale(trainer)
            self._reporter.report_point(Step(step, loss, grad_norm=self._norm, lr=rate, amp_scale=scale))
        self._reporter.report_progress(step, int(trainer.estimated_stepping_batches))
        if self._reporter.stop_requested():
            self.stopped = True
            trainer.should_stop = True

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """Report the validation, which is done by now, and save."""
        step, family = trainer.global_step, pl_module.family
        self._reporter.report_point(Step(step, evaluation={"eval_loss": pl_module.validation_loss}))
        values = {name: float(one["value"]) for name, one in family.items()}
        counts = {name: int(one["count"]) for name, one in family.items()}
        self._reporter.send(FamilyMeasurement(step, "correlation", values, counts))
        self._save(trainer, pl_module, self._folder / f"checkpoint-{step}")

    def _save(self, trainer: pl.Trainer, module: Any, checkpoint: Path) -> None:
        began = time.monotonic()
        shutil.rmtree(checkpoint, ignore_errors=True)
        try:
            trainer.save_checkpoint(checkpoint / evidence.FILE)
            saved = time.monotonic()
            evidence.write(checkpoint, module, self._probe, {**self._origin, "step": trainer.global_step})
        except Exception as error:
            known = explain(error)
            shutil.rmtree(checkpoint, ignore_errors=True)
            message = f"{checkpoint.name} could not be saved: {known.message}"
            raise JobError(known.kind, message, known.hint or "go on with --resume") from error
        self._reporter.link_and_report(
            trainer.global_step,
            checkpoint,
            save_seconds=saved - began,
            evidence_seconds=time.monotonic() - saved,
        )
        self._delete_older()

    def _delete_older(self) -> None:
        if self._limit is None:
            return
        steps = sorted(int(one.name.rpartition("-")[2]) for one in self._folder.glob("checkpoint-*"))
        for step in steps[: -self._limit]:
            shutil.rmtree(self._folder / f"checkpoint-{step}", ignore_errors=True)

    def _is_logged(self, trainer: Any, step: int) -> bool:
        return bool(step % trainer.log_every_n_steps == 0)


def amp_scale(trainer: Any) -> float | None:
    """The factor that float16 gradients are scaled by; None without one."""
    scaler = getattr(trainer.precision_plugin, "scaler", None)
    return float(scaler.get_scale()) if scaler is not None else None
