"""The fields of a forecasting's spec: `task: forecasting`. A T5 encoder is trained on numeric series.

Names are those of Lightning's Trainer and of T5's config where these have one.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from ledger.evidence.training import limit_problems
from ledger.findings import Json
from ledger.specs.schema import (
    Count,
    ExperimentSpec,
    Line,
    ModelName,
    Number,
    Positive,
    Rate,
    SpecSection,
    file_name,
)

Frame = Annotated[str, AfterValidator(file_name)]
Share = Annotated[float, Field(gt=0, lt=1)]
Epochs = Annotated[int, Field(ge=1, le=10_000)]


class EncoderConfig(SpecSection):
    """Sizes of the T5 encoder, in the names of T5Config; unset: those of T5-Small."""

    d_model: Count = Field(default=512, description="Width of the hidden states.")
    d_kv: Count = Field(default=64, description="Width of one attention head.")
    d_ff: Count = Field(default=2048, description="Width of the feed-forward part.")
    num_layers: Count = Field(default=6, description="Layers of the encoder.")
    num_heads: Count = Field(default=8, description="Attention heads of a layer.")
    dropout_rate: Rate = Field(default=0.1, description="Share of the activations that training drops.")

    def parameters(self) -> dict[str, Json]:
        """What T5Config is given."""
        return self.model_dump()

    @property
    def count(self) -> int:
        """Parameters of the encoder's layers, without the embedding of words, which no series needs.

        A layer has the query, key, value and output matrices, the two of the feed-forward part and two norms;
        the first layer has 32 relative positions a head as well, and a norm stands at the end.
        """
        inner = self.num_heads * self.d_kv
        layer = 4 * self.d_model * inner + 2 * self.d_model * self.d_ff + 2 * self.d_model
        return self.num_layers * layer + 32 * self.num_heads + self.d_model


class Backbone(SpecSection):
    """The encoder, and the weights that it starts from."""

    name: ModelName | None = Field(
        default=None,
        description="Hub name or folder of the T5 whose encoder it starts from; unset: from scratch.",
    )
    revision: Line | None = Field(default=None, description="Commit, tag or branch on the hub.")
    config: EncoderConfig = Field(default_factory=EncoderConfig)


class SeriesData(SpecSection):
    """The series, one CSV file a time frame: a header, then one row a bar, oldest first."""

    series: Mapping[Frame, Line] = Field(
        description="File of each time frame, from the repository's root: `{M1: data/series/M1.csv}`."
    )
    column: Line = Field(
        default="return",
        description="Column that is forecast. Changes, not levels: repeating a level forecasts it.",
    )
    window: Annotated[int, Field(ge=4, le=4096)] = Field(
        default=64, description="Values that the model reads; the one after them is the forecast."
    )
    validation_share: Share = Field(
        default=0.1, description="Newest part of each series, which is never learned from."
    )

    @field_validator("series", mode="before")
    @classmethod
    def _drop_unset_frames(cls, value: Any) -> Any:
        return (
            {frame: path for frame, path in value.items() if path is not None}
            if isinstance(value, dict)
            else value
        )

    @field_validator("series")
    @classmethod
    def _has_one(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        if not value:
            raise ValueError("should name at least one time frame and its file")
        return value


class Optimizer(SpecSection):
    """AdamW."""

    lr: Positive = Field(default=2.0e-5, description="Learning rate of all that is not T5: inputs and heads.")
    weight_decay: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        default=0.01, description="Of AdamW."
    )


class Scheduler(SpecSection):
    """torch's OneCycleLR over the whole training: up in the warm-up, down again by a cosine."""

    max_lr: Positive | None = Field(
        default=None,
        description="Highest rate of `optimizer.lr`; T5's layers rise by the same factor. Unset: that rate.",
    )


class Masking(SpecSection):
    """Spans of the window that training hides and has the model fill in, beside the forecast."""

    mask_ratio: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.15, description="Share of the window that is hidden."
    )
    span_max: Count = Field(default=10, description="Values in the longest span.")


class ForecastTraining(SpecSection):
    """How it is trained."""

    epochs: Epochs = Field(default=6, description="Passes over the training part, as limited.")
    warmup_epochs: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        default=0.0, description="Epochs in which the learning rates rise."
    )
    batch_size: Count = Field(default=32, description="Windows a batch.")
    gradient_clip: Positive | None = Field(
        default=None, description="Gradients are clipped to this norm; unset: they are not."
    )
    precision: Literal["32", "16-mixed", "bf16-mixed"] = Field(
        default="32", description="Lightning's; text, so in quotes. `16-mixed` is AMP in float16."
    )
    optimizer: Optimizer = Field(default_factory=Optimizer)
    t5_lr_top: Positive | None = Field(
        default=None, description="Learning rate of T5's uppermost layer; unset: `optimizer.lr`."
    )
    layerwise_lr_decay: Annotated[float, Field(gt=0, le=1)] = Field(
        default=1.0, description="Each layer below has this times the rate of the one above it."
    )
    scheduler: Scheduler = Field(default_factory=Scheduler)
    log_every_n_steps: Count = Field(default=50, description="Steps between two points of the loss curve.")
    save_total_limit: Count | None = Field(
        default=None, description="Saves, one an epoch, that are kept; unset: all. Each is verified."
    )

    @field_validator("warmup_epochs")
    @classmethod
    def _ends(cls, value: float, info: ValidationInfo) -> float:
        if value >= info.data.get("epochs", value + 1):
            raise ValueError("should be less than epochs: the learning rate has to arrive")
        return value


class Development(SpecSection):
    """How much of the data is used, in Lightning's names."""

    limit_train_batches: Count | None = Field(default=None, description="Batches of an epoch; unset: all.")
    limit_val_batches: Count | None = Field(default=None, description="Batches of a validation; unset: all.")


class ForecastGuards(SpecSection):
    """Limits that turn what a guard measures into a finding. Unset: the guard's own limit."""

    min_correlation: Annotated[float, Field(ge=-1, le=1)] | None = Field(
        default=None, description="Lowest mean correlation over the time frames."
    )
    min_improved: Rate | None = Field(
        default=None, description="Lowest share of the time frames that improve on the parent run."
    )
    training_limits: Mapping[str, Number] | None = Field(
        default=None,
        description="Limits of [training health](training-health.md) by name: `{vanishing_norm: 0.01}`.",
    )

    @field_validator("training_limits", mode="before")
    @classmethod
    def _known_limits(cls, value: Any) -> Any:
        if isinstance(value, dict):
            value = {key: limit for key, limit in value.items() if limit is not None}
            if problems := limit_problems(value):
                raise ValueError("; ".join(problems))
        return value


class ForecastingSpec(ExperimentSpec):
    """A forecasting, resolved: its file, what it extends, and the command line, merged and checked."""

    task: Literal["forecasting"] = Field(description="What is done with the model.")
    parent: Line | None = Field(
        default=None,
        description="Experiment whose newest good run this one is held against; unset: the one it extends.",
    )
    model: Backbone = Field(default_factory=Backbone)
    data: SeriesData
    output: Line = Field(
        description="Folder for the checkpoints, from the repository's root; each run has its own in it."
    )
    training: ForecastTraining = Field(default_factory=ForecastTraining)
    development: Development = Field(default_factory=Development)
    masking: Masking = Field(default_factory=Masking)
    guards: ForecastGuards = Field(default_factory=ForecastGuards)
    on_fail: Literal["stop", "warn"] = Field(
        default="stop",
        description="When a save fails its verification: end the training at its next step, or go on.",
    )

    @property
    def held_against(self) -> str | None:
        """The experiment that this one comes from: `parent`, or else what it extends; a base is none."""
        named = self.parent or self.extends
        return named if named and "/" not in named else None
