"""What a forecaster's training tells while it goes on: its series, its correlations, its saves with evidence.

A save is a folder `checkpoint-STEP` that holds Lightning's own file, and in `ledger/` what a fresh process
needs to hold a reload against the model in memory.
"""

import json
import shutil
import time
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch

from runners.worker.error_messages import explain
from runners.worker.errors import JobError
from runners.worker.forecasting import evidence
from runners.worker.generation.shards import write_atomically
from runners.worker.protocol import Events
from runners.worker.training.callback import link_tree, number


class ForecastWatch(pl.Callback):  # type: ignore[misc]  # Lightning is Any here
    """Sends `step`, `family` and `saved` events; ends the training on request.

    The paths are those of `training_watch.Watch`: `stop`, `snapshots`, `progress`. `folder` gets the saves,
    of which the newest `keep` stay (None: all).
    """

    def __init__(self, job: dict[str, Any], probe: evidence.Probe, events: Events) -> None:
        self._folder, self._snapshots = Path(job["folder"]), Path(job["snapshots"])
        self._stop, self._progress = Path(job["stop"]), Path(job["progress"])
        self._keep = job["training"].get("save_total_limit")
        self._origin = {"run": job["run"], "environment": job["environment"]}
        self._probe, self._events = probe, events
        self._norm: float | None = None
        self._began, self._first = time.monotonic(), 0
        self.stopped = False

    def on_train_start(self, trainer: pl.Trainer, pl_module: Any) -> None:  # noqa: ARG002
        """Where it begins; a resumed training begins later."""
        self._began, self._first = time.monotonic(), trainer.global_step
        self._events.progress("training", trainer.global_step, int(trainer.estimated_stepping_batches))

    def on_before_optimizer_step(self, trainer: pl.Trainer, pl_module: Any, optimizer: Any) -> None:  # noqa: ARG002
        """The norm before clipping, with the AMP scale divided out: Lightning calls this in between."""
        if self._is_logged(trainer, trainer.global_step + 1):
            gradients = [one.grad for one in pl_module.parameters() if one.grad is not None]
            self._norm = float(torch.nn.utils.get_total_norm(gradients))

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, *_batch: Any) -> None:  # noqa: ARG002
        """One point of the series now and then, and an end where that was asked for."""
        step = trainer.global_step
        if self._is_logged(trainer, step):
            self._events.send(
                "step",
                step=step,
                loss=number(outputs["loss"]),
                grad_norm=number(self._norm),
                lr=number(trainer.optimizers[0].param_groups[-1]["lr"]),
                amp_scale=number(amp_scale(trainer)),
            )
            self._tell_step(step)
        rate = (step - self._first) / max(time.monotonic() - self._began, 1e-9)
        self._events.progress("training", step, int(trainer.estimated_stepping_batches), rate)
        if self._stop.exists():
            self.stopped = True
            trainer.should_stop = True

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        """The validation is done by now: tell it, and save."""
        step = trainer.global_step
        self._events.send("step", step=step, eval_loss=number(pl_module.validation_loss))
        family = {name: {**one, "value": number(one["value"])} for name, one in pl_module.family.items()}
        self._events.send("family", step=step, name="correlation", members=family)
        self._tell_step(step)
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
        self._tell_saved(checkpoint, trainer.global_step, saved - began, time.monotonic() - saved)
        self._forget_older()

    def _tell_saved(self, checkpoint: Path, step: int, save_seconds: float, held: float) -> None:
        self._events.send(
            "saved",
            step=step,
            folder=str(checkpoint),
            snapshot=str(link_tree(checkpoint, self._snapshots / checkpoint.name)),
            save_seconds=round(save_seconds, 4),
            evidence_seconds=round(held, 4),
        )

    def _forget_older(self) -> None:
        if self._keep is None:
            return
        steps = sorted(int(one.name.rpartition("-")[2]) for one in self._folder.glob("checkpoint-*"))
        for step in steps[: -self._keep]:
            shutil.rmtree(self._folder / f"checkpoint-{step}", ignore_errors=True)

    def _is_logged(self, trainer: Any, step: int) -> bool:
        return bool(step % trainer.log_every_n_steps == 0)

    def _tell_step(self, step: int) -> None:
        write_atomically(self._progress, json.dumps({"step": step}).encode())


def amp_scale(trainer: Any) -> float | None:
    """The factor that float16 gradients are scaled by; None without one."""
    scaler = getattr(trainer.precision_plugin, "scaler", None)
    return float(scaler.get_scale()) if scaler is not None else None
