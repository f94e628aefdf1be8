"""The `forecast` job: Lightning trains a T5 encoder on numeric series, with evidence kept at each save.

Seeds and deterministic kernels are set before anything is made, so that a rehearsal is the same every time.
"""

import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.plugins.precision import MixedPrecision

from runners.worker.error_messages import explain, is_out_of_memory
from runners.worker.errors import JobError
from runners.worker.evidence.snapshot import versions
from runners.worker.forecasting import evidence
from runners.worker.forecasting.callback import ForecastWatch
from runners.worker.forecasting.data import Split, loader, read_split
from runners.worker.forecasting.lightning_module import ForecastModule
from runners.worker.forecasting.model import Forecaster
from runners.worker.imported_packages import imported_distributions
from runners.worker.models import loading
from runners.worker.models.resolved_config import plain
from runners.worker.protocol import Events


def forecast(job: Mapping[str, Any], events: Events) -> dict[str, Any]:
    """Train, or go on from the checkpoint `resume`, until the end or until the file `stop` is there.

    Events beside progress: `step` (loss, grad_norm, lr, amp_scale by step), `family` (the correlation of each
    time frame, once an epoch) and `saved`. Result: `last_step`, `stopped`, `parameters`, `effective`
    configuration, `imported` distributions. Raises JobError, with the step where memory ran out.
    """
    _make_deterministic(job)
    split = read_split(job["data"])
    events.progress("making the model", 0, 1)
    module = _module(job)
    events.progress("making the model", 1, 1)
    probe = evidence.draw_probe(split.validation, job["seed"])
    watch = ForecastWatch(dict(job), probe, events)
    trainer = _trainer(job, watch)
    _fit(trainer, module, job, split)
    return {
        "last_step": trainer.global_step,
        "stopped": watch.stopped,
        "parameters": sum(one.numel() for one in module.parameters()),
        "effective": _effective(job, module, trainer),
        "imported": imported_distributions(),
    }


def _module(job: Mapping[str, Any]) -> ForecastModule:
    model = job["model"]
    forecaster = Forecaster(model["config"], list(job["data"]["series"]))
    if model["name"] is not None and not job["resume"]:
        forecaster.start_from(model["name"], model["revision"])
    return ForecastModule(forecaster, {key: job[key] for key in ("training", "masking")}, job["seed"])


def _trainer(job: Mapping[str, Any], watch: ForecastWatch) -> pl.Trainer:
    training, limits = job["training"], job["development"]
    device = loading.choose_device(job["device"])
    _be_quiet()
    return pl.Trainer(
        accelerator="gpu" if device == "cuda" else "cpu",
        devices=1,
        max_epochs=training["epochs"],
        gradient_clip_val=training.get("gradient_clip"),
        limit_train_batches=limits.get("limit_train_batches") or 1.0,
        limit_val_batches=limits.get("limit_val_batches") or 1.0,
        log_every_n_steps=training["log_every_n_steps"],
        num_sanity_val_steps=0,
        callbacks=[watch],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **_precision(training["precision"], device),
    )


def _precision(precision: str, device: str) -> dict[str, Any]:
    """As it is asked for, on every device: Lightning itself turns float16 into bfloat16 on a CPU."""
    if precision == "32":
        return {"precision": "32-true"}
    return {"plugins": [MixedPrecision(precision, device)]}


def _fit(trainer: pl.Trainer, module: ForecastModule, job: Mapping[str, Any], split: Split) -> None:
    size, seed = job["training"]["batch_size"], job["seed"]
    resume = Path(job["resume"]) / evidence.FILE if job["resume"] else None
    try:
        trainer.fit(
            module,
            loader(split.train, size, seed, every_epoch=True),
            loader(split.validation, size, seed, every_epoch=False),
            ckpt_path=resume,
            weights_only=True,
        )
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        message = f"out of memory at step {trainer.global_step + 1}: {explain(error).message}"
        raise JobError("out of memory", message, "halve training.batch_size, then --resume") from error


def _make_deterministic(job: Mapping[str, Any]) -> None:
    if job["threads"]:
        torch.set_num_threads(job["threads"])
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False
    pl.seed_everything(job["seed"], verbose=False)


def _be_quiet() -> None:
    """Lightning's advice (more workers, a GPU that is there) is for people at its own command line."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"lightning\..*")


def _effective(job: Mapping[str, Any], module: ForecastModule, trainer: pl.Trainer) -> dict[str, Any]:
    """What it ran with; `learning_rates` are the highest of the schedule, by group."""
    groups = trainer.optimizers[0].param_groups
    rates = {group["name"]: group["max_lr"] for group in groups}
    config = module.forecaster.config.to_dict()
    return {
        "model": {"class": type(module.forecaster).__name__, **plain(config)},
        "training": {**job["training"], **job["development"], **job["masking"], "learning_rates": rates},
        "runtime": {
            "device": module.device.type,
            "threads": torch.get_num_threads(),
            "deterministic": torch.are_deterministic_algorithms_enabled(),
            "lightning": pl.__version__,
            **versions(),
        },
    }
