"""The fields of a training's spec, `task: training`. Names are Hugging Face's; unset: its default."""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from ledger.findings import Json
from ledger.models.families import Family
from ledger.specs.experiment import Guards, HealthGuards, TextExperiment, TrainedExperiment
from ledger.specs.fields import Count, FamilyByName, Line, ModelName, Number, Positive, Rate, SpecSection

Schedule = Literal["linear", "cosine", "constant", "constant_with_warmup", "inverse_sqrt"]
Steps = Annotated[int, Field(ge=0)]


class ModelConfig(SpecSection):
    """Sizes of a model that is trained from scratch, in the names of its Hugging Face config."""

    vocab_size: Annotated[int, Field(ge=8, le=1_000_000)] = Field(
        default=32_000,
        description="Size of the SentencePiece vocabulary, learned from the training text.",
    )
    d_model: Count = Field(default=512, description="Width of the hidden states.")
    encoder_layers: Count = Field(default=6, description="Layers of the encoder.")
    decoder_layers: Count = Field(default=6, description="Layers of the decoder.")
    encoder_attention_heads: Count = Field(default=8, description="Attention heads of an encoder layer.")
    decoder_attention_heads: Count = Field(default=8, description="Attention heads of a decoder layer.")
    encoder_ffn_dim: Count = Field(default=2048, description="Width of the encoder's feed-forward part.")
    decoder_ffn_dim: Count = Field(default=2048, description="Width of the decoder's feed-forward part.")
    max_position_embeddings: Count = Field(default=512, description="Tokens that the model can read.")
    dropout: Rate = Field(default=0.1, description="Share of the activations that training drops.")
    share_encoder_decoder_embeddings: bool | None = Field(
        default=None, description="One embedding for both sides (Marian); unset: the class's default."
    )
    tie_word_embeddings: bool | None = Field(
        default=None, description="The output layer is the embedding; unset: the class's default."
    )

    def parameters(self) -> dict[str, Json]:
        """The keyword arguments of the config's class: those that are set, without the vocabulary's size."""
        return self.model_dump(exclude_none=True, exclude={"vocab_size"})


class TrainedModel(FamilyByName):
    """What is trained: a new model with this `config`, or the existing one called `name`."""

    name: ModelName | None = Field(
        default=None, description="Hub name or folder to start from; unset: from scratch."
    )
    family: Family | None = Field(
        default=None,
        description="Kind of model. From scratch: `marian` or `mbart50`. Unset: inferred from the name.",
    )
    config: ModelConfig | None = None

    @model_validator(mode="after")
    def _one_start(self) -> "TrainedModel":
        if (self.name is None) == (self.config is None):
            raise ValueError("should have either a name to start from, or a config to start from scratch")
        if self.config is not None and self.family not in ("marian", "mbart50"):
            raise ValueError("should have the family marian or mbart50 to be trained from scratch")
        return self


class ParallelText(SpecSection):
    """Two files of one segment a line, UTF-8; line n of one translates line n of the other."""

    source: Line = Field(description="File in the source language, from the repository's root.")
    reference: Line = Field(description="File with its translation.")


class TrainingData(SpecSection):
    """The text to learn from, and the text for evaluations and for the sample of each checkpoint."""

    train: ParallelText
    validation: ParallelText
    max_source_length: Count = Field(default=128, description="Tokens after which a source line is cut.")
    max_target_length: Count = Field(default=128, description="Tokens after which a target line is cut.")


class TrainingSettings(SpecSection):
    """How it is trained, in the names of Seq2SeqTrainingArguments. Unset: the library's default."""

    per_device_train_batch_size: Count = Field(default=8, description="Lines per batch.")
    per_device_eval_batch_size: Count | None = Field(default=None, description="The same in evaluation.")
    gradient_accumulation_steps: Count | None = Field(default=None, description="Batches per step.")
    learning_rate: Positive | None = Field(default=None, description="Highest learning rate.")
    warmup_steps: Steps | None = Field(default=None, description="Steps over which it rises to that.")
    lr_scheduler_type: Schedule | None = Field(default=None, description="How it falls afterwards.")
    weight_decay: Number | None = Field(default=None, description="AdamW's weight decay.")
    label_smoothing_factor: Rate | None = Field(default=None, description="0 is none.")
    max_grad_norm: Number | None = Field(default=None, description="Gradients are clipped to this norm.")
    num_train_epochs: Positive | None = Field(default=None, description="Passes over the training text.")
    max_steps: Count | None = Field(default=None, description="Total steps; overrides the epochs.")
    fp16: bool | None = Field(default=None, description="Mixed precision in float16; needs a GPU.")
    bf16: bool | None = Field(default=None, description="Mixed precision in bfloat16.")
    gradient_checkpointing: bool | None = Field(
        default=None, description="Recompute activations to save memory."
    )
    logging_steps: Count = Field(default=50, description="Steps between two points of the loss curve.")
    eval_steps: Count | None = Field(default=None, description="Steps between evaluations; unset: none.")
    save_steps: Count = Field(default=500, description="Steps between checkpoints; each is verified.")
    save_total_limit: Count | None = Field(
        default=None,
        description="Checkpoints to keep; unset: all. None is deleted while being verified.",
    )

    @field_validator("bf16")
    @classmethod
    def _one_precision(cls, value: bool | None, info: ValidationInfo) -> bool | None:
        if value and info.data.get("fp16"):
            raise ValueError("cannot be combined with fp16: unset one with null")
        return value

    def arguments(self) -> dict[str, Json]:
        """The keyword arguments of the trainer: those that are set."""
        return self.model_dump(exclude_none=True)


class TrainingGuards(HealthGuards, Guards):
    """Limits beyond which a guard's measurement is a finding. Unset: the guard's own limit."""


class TrainingSpec(TrainedExperiment, TextExperiment):
    """A training after inheritance and overrides, checked."""

    task: Literal["training"] = Field(description="What is done with the model.")
    model: TrainedModel
    data: TrainingData
    training: TrainingSettings = Field(default_factory=TrainingSettings)
    guards: TrainingGuards = Field(default_factory=TrainingGuards)
