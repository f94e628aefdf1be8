"""The `forecast` job: Lightning trains a T5 encoder on numeric series, with evidence of each checkpoint.

Seeds and deterministic kernels are set before anything is created, so that a rehearsal is repeatable.
"""

import logging
import warnings
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.plugins.precision import MixedPrecision

from runners.worker.error_messages import explain, is_out_of_memory
from runners.worker.errors import JobError
from runners.worker.evidence.snapshot import versions
from runners.worker.forecasting import evidence
from runners.worker.forecasting.callback import ForecastCallback
from runners.worker.forecasting.data import Split, loader, read_split
from runners.worker.forecasting.lightning_module import ForecastModule
from runners.worker.forecasting.model import Forecaster
from runners.worker.imported_packages import imported_distributions
from runners.worker.messages import Forecast, TrainingResult
from runners.worker.models import loading
from runners.worker.models.resolved_config import plain
from runners.worker.protocol import Events


def forecast(job: Forecast, events: Events) -> TrainingResult:
    """Train, or continue from the checkpoint `resume`, until the end or until the file `stop` exists.

    Reports `Step`, `FamilyMeasurement` (the correlation of each time frame, once an epoch) and
    `SavedCheckpoint`. Raises JobError, with the step where memory ran out.
    """
    _make_deterministic(job)
    split = read_split(job)
    events.progress("making the model", 0, 1)
    module = _module(job)
    events.progress("making the model", 1, 1)
    probe = evidence.draw_probe(split.validation, job.seed)
    callback = ForecastCallback(job, probe, events)
    trainer = _trainer(job, callback)
    _fit(trainer, module, job, split)
    return TrainingResult(
        last_step=trainer.global_step,
        stopped=callback.stopped,
        parameters=sum(one.numel() for one in module.parameters()),
        effective=_effective(job, module, trainer),
        imported=imported_distributions(),
    )


def _module(job: Forecast) -> ForecastModule:
    model = job.model
    forecaster = Forecaster(model["config"], list(job.series))
    if model["name"] is not None and not job.resume:
        forecaster.start_from(model["name"], model["revision"])
    return ForecastModule(forecaster, {"training": job.training, "masking": job.masking}, job.seed)


def _trainer(job: Forecast, callback: ForecastCallback) -> pl.Trainer:
    training, limits = job.training, job.development
    device = loading.choose_device(job.device)
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
        callbacks=[callback],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **_precision(training["precision"], device),
    )


def _precision(precision: str, device: str) -> dict[str, Any]:
    """The requested precision on every device: by itself Lightning replaces float16 by bfloat16 on a CPU."""
    if precision == "32":
        return {"precision": "32-true"}
    return {"plugins": [MixedPrecision(precision, device)]}


def _fit(trainer: pl.Trainer, module: ForecastModule, job: Forecast, split: Split) -> None:
    size, seed = job.training["batch_size"], job.seed
    resume = job.resume / evidence.FILE if job.resume else None
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


def _make_deterministic(job: Forecast) -> None:
    if job.threads:
        torch.set_num_threads(job.threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False
    pl.seed_everything(job.seed, verbose=False)


def _be_quiet() -> None:
    """Silence Lightning's advice (more workers, an unused GPU), which does not apply here."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"lightning\..*")


def _effective(job: Forecast, module: ForecastModule, trainer: pl.Trainer) -> dict[str, Any]:
    """The effective configuration; `learning_rates` are the peaks of the schedule, by group."""
    groups = trainer.optimizers[0].param_groups
    rates = {group["name"]: group["max_lr"] for group in groups}
    config = module.forecaster.config.to_dict()
    return {
        "model": {"class": type(module.forecaster).__name__, **plain(config)},
        "training": {**job.training, **job.development, **job.masking, "learning_rates": rates},
        "runtime": {
            "device": module.device.type,
            "threads": torch.get_num_threads(),
            "deterministic": torch.are_deterministic_algorithms_enabled(),
            "lightning": pl.__version__,
            **versions(),
        },
    }
