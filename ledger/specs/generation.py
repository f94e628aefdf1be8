"""The fields of a generation's spec: `task: generation`, which is the default."""

import posixpath
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from ledger.findings import Json
from ledger.models.families import Family
from ledger.specs.experiment import TextExperiment
from ledger.specs.fields import Count, FamilyByName, Line, ModelName, Number, Positive, Rate, SpecSection

LENGTHS = frozenset({"max_length", "max_new_tokens"})  # one replaces the other


class Model(FamilyByName):
    """The model to run. Code that comes with a checkpoint is never executed."""

    name: ModelName = Field(description="Hub name (`facebook/nllb-200-3.3B`) or folder.")
    revision: Line | None = Field(
        default=None, description="Commit, tag or branch on the hub; unset: the newest."
    )
    family: Family | None = Field(
        default=None,
        description="How the model takes its language codes. Unset: inferred from the name, or else from the "
        "checkpoint's config.",
    )
    dtype: Literal["float16", "bfloat16", "float32"] = Field(
        default="float32", description="Number format of the weights once loaded."
    )


class Data(SpecSection):
    """The text files: UTF-8, one segment a line. Paths start at the repository's root."""

    source: Line = Field(description="File to translate.")
    reference: Line | None = Field(default=None, description="Human translation of it; unset: no scores.")


class Generation(SpecSection):
    """How text is generated, in the names of Hugging Face's GenerationConfig. Unset: the model's default."""

    batch_size: Count = Field(default=16, description="Lines per batch.")
    max_source_length: Count | None = Field(
        default=None, description="Tokens after which a source line is cut."
    )
    max_length: Count | None = Field(default=None, description="Highest number of tokens in an output.")
    max_new_tokens: Count | None = Field(
        default=None, description="The same, without the prompt; not together with max_length."
    )
    min_length: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="Lowest number of tokens."
    )
    num_beams: Count | None = Field(default=None, description="Beams; 1 is greedy search.")
    early_stopping: bool | Literal["never"] | None = Field(
        default=None, description="Stop when `num_beams` candidates are complete."
    )
    length_penalty: Number | None = Field(
        default=None,
        description="A beam's score is divided by its length to this power; above 0 favours long outputs.",
    )
    repetition_penalty: Positive | None = Field(
        default=None, description="Above 1 makes tokens that were already used less likely; 1 is none."
    )
    no_repeat_ngram_size: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="No n-gram of this size occurs twice; 0 is off."
    )
    do_sample: bool | None = Field(
        default=None, description="Draw tokens at random instead of taking the best."
    )
    temperature: Positive | None = Field(default=None, description="Sampling temperature.")
    top_k: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="Sample from this many tokens only; 0 is off."
    )
    top_p: Rate | None = Field(
        default=None, description="Sample from the tokens of this total probability only; 1 is off."
    )

    @field_validator("max_new_tokens")
    @classmethod
    def _one_limit(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and info.data.get("max_length") is not None:
            raise ValueError("cannot be combined with max_length: unset one with null")
        return value

    def parameters(self) -> dict[str, Json]:
        """The keyword arguments of `model.generate`: those that are set, without the two about batching."""
        return self.model_dump(exclude_none=True, exclude={"batch_size", "max_source_length"})


class Fallback(Generation):
    """Settings of `--redo-flagged`, which replace those of `generation` for the lines that were flagged."""


class GenerationSpec(TextExperiment):
    """A generation after inheritance and overrides, checked."""

    task: Literal["generation"] = Field(default="generation", description="What is done with the model.")
    model: Model
    data: Data
    output: Line = Field(description="File to write, from the repository's root.")
    failure_marker: Line = Field(
        default="FAILED_TRANSLATION_CLEANED",
        description="Output line that stands for a line that could not be translated.",
    )
    generation: Generation = Field(default_factory=Generation)
    fallback: Fallback | None = None

    def with_fallback(self) -> "GenerationSpec | None":
        """The same with the fallback settings over those of `generation`; None without any."""
        if self.fallback is None:
            return None
        chosen = self.fallback.model_dump(exclude_unset=True)
        settings = self.generation.model_dump(exclude_unset=True)
        if not LENGTHS.isdisjoint(chosen):
            settings = {key: value for key, value in settings.items() if key not in LENGTHS}
        generation = Generation(**{**settings, **chosen})
        return self.model_copy(update={"generation": generation, "fallback": None})

    @field_validator("output")
    @classmethod
    def _keeps_the_data(cls, output: str, info: ValidationInfo) -> str:
        data = info.data.get("data")
        for role in ("source", "reference"):
            path = getattr(data, role, None)
            if path is not None and posixpath.normpath(path) == posixpath.normpath(output):
                raise ValueError(f"is the same file as data.{role}, which it would overwrite")
        return output
