"""A synthetic series for each time frame, and a forecasting scaled down to a minute. Pure.

Each series is two waves, which can be forecast, and noise, which cannot. It says nothing about a market.
"""

import math
import random
from collections.abc import Mapping, Sequence

from ledger.findings import Json

LENGTH = 640
WINDOW = 32
AMPLITUDES = (1.0, 0.7)
NOISE = 0.3  # the standard deviation

SIZES: Mapping[str, Json] = {
    "d_model": 64,
    "d_kv": 16,
    "d_ff": 128,
    "num_layers": 2,
    "num_heads": 4,
    "dropout_rate": 0.0,
}
EPOCHS, BATCHES, BATCH = 4, 60, 32
RATE = 2e-3  # of inputs and heads; the other rates keep their ratio to it
CLIP = 1.0  # a small model from scratch has larger gradients than a trained one
LOGGED = 4


def made_series(frames: Sequence[str], seed: int) -> dict[str, list[float]]:
    """The series of each time frame; the lengths of the waves differ between them."""
    made = {}
    for place, frame in enumerate(frames):
        draw = random.Random(f"{seed} {frame}")
        periods = (7.0 + 2.0 * place, 19.0 + 5.0 * place)
        phases = [draw.uniform(0.0, 2.0 * math.pi) for _ in periods]
        waves = list(zip(AMPLITUDES, periods, phases, strict=True))
        made[frame] = [
            sum(high * math.sin(2 * math.pi * at / period + phase) for high, period, phase in waves)
            + draw.gauss(0.0, NOISE)
            for at in range(LENGTH)
        ]
    return made


def scaled_config(config: Mapping[str, Json]) -> dict[str, Json]:
    """The config of a tiny encoder of the same class."""
    return {**config, **SIZES}


def scaled_training(training: Mapping[str, Json]) -> dict[str, Json]:
    """A few short epochs at learning rates for a small model from scratch.

    The warm-up keeps its share of the epochs, the rates of T5's layers and of the peak keep their ratio to
    `optimizer.lr`; precision, decay and the number of stored checkpoints do not change.
    """
    factor = RATE / training["optimizer"]["lr"]
    scaled = {
        **training,
        "epochs": EPOCHS,
        "warmup_epochs": EPOCHS * training["warmup_epochs"] / training["epochs"],
        "batch_size": BATCH,
        "optimizer": {**training["optimizer"], "lr": RATE},
        "scheduler": _times(training.get("scheduler") or {}, "max_lr", factor),
        "log_every_n_steps": LOGGED,
    }
    if training.get("gradient_clip") is not None:
        scaled["gradient_clip"] = CLIP
    return _times(scaled, "t5_lr_top", factor)


def scaled_development() -> dict[str, Json]:
    """The limit of training batches an epoch; the validation is complete."""
    return {"limit_train_batches": BATCHES}


def _times(values: Mapping[str, Json], key: str, factor: float) -> dict[str, Json]:
    return {**values, **({key: values[key] * factor} if values.get(key) is not None else {})}
