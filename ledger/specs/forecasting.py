"""The fields of a forecasting's spec, `task: forecasting`: a T5 encoder is trained on numeric series.

Names are those of Lightning's Trainer and of T5Config where these have one.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from ledger.findings import Json
from ledger.specs.experiment import HealthGuards, TrainedExperiment
from ledger.specs.fields import (
    Count,
    DropNulls,
    FileName,
    Line,
    ModelName,
    NotNegative,
    Positive,
    Rate,
    SpecSection,
)

Share = Annotated[float, Field(gt=0, lt=1)]
Epochs = Annotated[int, Field(ge=1, le=10_000)]


class EncoderConfig(SpecSection):
    """Sizes of the T5 encoder, in the names of T5Config. Unset: those of T5-Small."""

    d_model: Count = Field(default=512, description="Width of the hidden states.")
    d_kv: Count = Field(default=64, description="Width of one attention head.")
    d_ff: Count = Field(default=2048, description="Width of the feed-forward part.")
    num_layers: Count = Field(default=6, description="Layers of the encoder.")
    num_heads: Count = Field(default=8, description="Attention heads of each layer.")
    dropout_rate: Rate = Field(default=0.1, description="Share of the activations that training drops.")

    def parameters(self) -> dict[str, Json]:
        """The keyword arguments of T5Config."""
        return self.model_dump()

    @property
    def count(self) -> int:
        """Parameters of the encoder's layers, without the word embedding, which a series does not need.

        Each layer has the query, key, value and output matrices, the two of the feed-forward part and two
        norms. The first layer also has 32 relative positions for each head; a norm follows the last.
        """
        inner = self.num_heads * self.d_kv
        layer = 4 * self.d_model * inner + 2 * self.d_model * self.d_ff + 2 * self.d_model
        return self.num_layers * layer + 32 * self.num_heads + self.d_model


class Backbone(SpecSection):
    """The encoder and its initial weights."""

    name: ModelName | None = Field(
        default=None,
        description="Hub name or folder of the T5 whose encoder it starts from; unset: from scratch.",
    )
    revision: Line | None = Field(default=None, description="Commit, tag or branch on the hub.")
    config: EncoderConfig = Field(default_factory=EncoderConfig)


class SeriesData(SpecSection):
    """The series: one CSV file for each time frame, with a header and one row for each bar, oldest first."""

    series: Annotated[Mapping[FileName, Line], DropNulls] = Field(
        description="File of each time frame, from the repository's root: `{M1: data/series/M1.csv}`."
    )
    column: Line = Field(
        default="return",
        description="Column to forecast. Use changes: a level is forecast well by repeating it.",
    )
    window: Annotated[int, Field(ge=4, le=4096)] = Field(
        default=64, description="Values that the model reads; it forecasts the next one."
    )
    validation_share: Share = Field(
        default=0.1, description="Share of each series, its newest part, that is never trained on."
    )

    @field_validator("series")
    @classmethod
    def _has_one(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        if not value:
            raise ValueError("should name at least one time frame and its file")
        return value


class Optimizer(SpecSection):
    """Settings of AdamW."""

    lr: Positive = Field(default=2.0e-5, description="Learning rate of what is not T5: inputs and heads.")
    weight_decay: NotNegative = Field(default=0.01, description="AdamW's weight decay.")


class Scheduler(SpecSection):
    """torch's OneCycleLR over the whole training: up during the warm-up, then down along a cosine."""

    max_lr: Positive | None = Field(
        default=None,
        description="Peak of `optimizer.lr`; the rates of T5's layers rise in proportion. Unset: that rate.",
    )


class Masking(SpecSection):
    """Spans of the window that are hidden in training, for the model to fill in as well as forecast."""

    mask_ratio: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.15, description="Share of the window that is hidden."
    )
    span_max: Count = Field(default=10, description="Values in the longest span.")


class ForecastTraining(SpecSection):
    """How it is trained."""

    epochs: Epochs = Field(default=6, description="Passes over the training part.")
    warmup_epochs: NotNegative = Field(default=0.0, description="Epochs over which the learning rates rise.")
    batch_size: Count = Field(default=32, description="Windows per batch.")
    gradient_clip: Positive | None = Field(
        default=None, description="Gradients are clipped to this norm; unset: not clipped."
    )
    precision: Literal["32", "16-mixed", "bf16-mixed"] = Field(
        default="32", description="Lightning's name for it, in quotes. `16-mixed` is AMP in float16."
    )
    optimizer: Optimizer = Field(default_factory=Optimizer)
    t5_lr_top: Positive | None = Field(
        default=None, description="Learning rate of T5's top layer; unset: `optimizer.lr`."
    )
    layerwise_lr_decay: Annotated[float, Field(gt=0, le=1)] = Field(
        default=1.0, description="Each layer has the rate of the layer above it times this."
    )
    scheduler: Scheduler = Field(default_factory=Scheduler)
    log_every_n_steps: Count = Field(default=50, description="Steps between two points of the loss curve.")
    save_total_limit: Count | None = Field(
        default=None, description="Checkpoints to keep, of one per epoch; unset: all. Each is verified."
    )

    @field_validator("warmup_epochs")
    @classmethod
    def _ends(cls, value: float, info: ValidationInfo) -> float:
        if value >= info.data.get("epochs", value + 1):
            raise ValueError("should be less than epochs, or the learning rate never reaches its peak")
        return value


class Development(SpecSection):
    """How much of the data to use, in Lightning's names."""

    limit_train_batches: Count | None = Field(default=None, description="Batches per epoch; unset: all.")
    limit_val_batches: Count | None = Field(default=None, description="Batches per validation; unset: all.")


class ForecastGuards(HealthGuards):
    """Limits beyond which a guard's measurement is a finding. Unset: the guard's own limit."""

    min_correlation: Annotated[float, Field(ge=-1, le=1)] | None = Field(
        default=None, description="Lowest mean correlation across the time frames."
    )
    min_improved: Rate | None = Field(
        default=None, description="Lowest share of the time frames that improve on the parent run."
    )


class ForecastingSpec(TrainedExperiment):
    """A forecasting after inheritance and overrides, checked."""

    task: Literal["forecasting"] = Field(description="What is done with the model.")
    parent: Line | None = Field(
        default=None,
        description="Experiment to compare with, by its newest passing run; unset: the one that it extends.",
    )
    model: Backbone = Field(default_factory=Backbone)
    data: SeriesData
    training: ForecastTraining = Field(default_factory=ForecastTraining)
    development: Development = Field(default_factory=Development)
    masking: Masking = Field(default_factory=Masking)
    guards: ForecastGuards = Field(default_factory=ForecastGuards)

    @property
    def compared_with(self) -> str | None:
        """The parent experiment: `parent`, or else what it extends, unless that is a base in a folder."""
        named = self.parent or self.extends
        return named if named and "/" not in named else None
