"""The forecaster as Lightning trains it: losses, learning rates, and the correlation of each time frame."""

from collections.abc import Mapping
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor
from torch.nn import functional

from runners.worker.forecasting.data import Item
from runners.worker.forecasting.model import Forecaster, correlation, hide, learning_rates


class ForecastModule(pl.LightningModule):  # type: ignore[misc]  # Lightning is Any here
    """`settings` are the spec's `training` and `masking`. Afterwards `family` is the last validation's."""

    def __init__(self, forecaster: Forecaster, settings: Mapping[str, Any], seed: int) -> None:
        super().__init__()
        self.forecaster = forecaster
        self.settings, self.seed = settings, seed
        self.family: dict[str, dict[str, float]] = {}
        self.validation_loss = float("nan")
        self._seen: list[tuple[Tensor, Tensor, Tensor]] = []

    def training_step(self, batch: Item, batch_index: int) -> Tensor:  # noqa: ARG002 - Lightning gives it
        """Mean squared error of the forecasts, and as much again of the hidden values; both are scaled."""
        values, frame, target = batch
        masking = self.settings["masking"]
        # What is hidden and dropped depends on the step alone: a resumed training goes on as if never ended.
        generator = torch.manual_seed(self.seed + self.global_step)
        shape = (values.shape[0], values.shape[1])
        hidden = hide(shape, masking["mask_ratio"], masking["span_max"], generator).to(values.device)
        forecast, filled = self.forecaster(values, frame, hidden)
        loss = functional.mse_loss(forecast.float(), target)
        if bool(hidden.any()):
            loss = loss + functional.mse_loss(filled.float()[hidden], values[hidden])
        return loss

    def validation_step(self, batch: Item, batch_index: int) -> None:  # noqa: ARG002 - Lightning gives it
        """Keep the forecasts, with nothing hidden."""
        values, frame, target = batch
        forecast, _ = self.forecaster(values, frame)
        self._seen.append((forecast.float().cpu(), frame.cpu(), target.cpu()))

    def on_validation_epoch_end(self) -> None:
        """The correlation of each time frame, over so many windows."""
        forecast, frame, target = (torch.cat(parts) for parts in zip(*self._seen, strict=True))
        self._seen.clear()
        self.validation_loss = float(functional.mse_loss(forecast, target))
        self.family = {
            name: {
                "value": correlation(forecast[frame == place], target[frame == place]),
                "count": int((frame == place).sum()),
            }
            for place, name in enumerate(self.forecaster.frames)
        }

    def configure_optimizers(self) -> Any:
        """AdamW with a learning rate for each layer, under torch's OneCycleLR."""
        given = self.settings["training"]
        rate = given["optimizer"]["lr"]
        groups = learning_rates(
            self.forecaster, rate, given.get("t5_lr_top") or rate, given["layerwise_lr_decay"]
        )
        optimizer = torch.optim.AdamW(groups, weight_decay=given["optimizer"]["weight_decay"])
        rise = (given["scheduler"].get("max_lr") or rate) / rate
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=[group["lr"] * rise for group in groups],
            total_steps=steps,
            pct_start=_warmup_share(given["warmup_epochs"] / given["epochs"], steps),
            cycle_momentum=False,
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def _warmup_share(share: float, steps: int) -> float:
    """The share (0-1) of the steps in which the rates rise; none where that is a single step.

    OneCycleLR rises from step 0 to the last step of the warm-up: where both are one it divides by zero.
    """
    return 0.0 if round(share * steps, 6) <= 1 else float(share)
