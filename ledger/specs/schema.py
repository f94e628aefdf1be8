"""The fields of a spec, their types and their meaning. What two files or a command line say is merged before.

Null means unset everywhere, and unset means the default. A new field defaults to null: then the digest of
every spec that was ever run stays what it was.
"""

import posixpath
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from ledger.findings import Json
from ledger.models.families import Family, infer_family
from ledger.utils.hashing import digest_json

# What a spec says about itself, what it is held against and where it writes: not part of what was run.
NOT_DIGESTED = frozenset({"title", "notes", "status", "output", "parent"})

# Country codes that are taken for language codes, and are none themselves in ISO 639-1.
_COUNTRIES = {"jp": "ja", "cn": "zh", "cz": "cs", "dk": "da", "gr": "el", "ua": "uk"}


def _one_line(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("should be one line of text that is not blank")
    return text


def file_name(text: str) -> str:
    """The text, where it can name a file anywhere. Raises ValueError for others."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]*", text):
        raise ValueError("should be a name of letters, digits and . _ + - that starts with a letter or digit")
    return text


def _environment(text: str) -> str:
    return _one_line(text) if text.endswith((".txt", ".toml")) else file_name(text)


def _model_name(text: str) -> str:
    if "://" in text:
        raise ValueError("should be a hub name such as facebook/nllb-200-3.3B or a folder, not an address")
    return text


def _language(text: str) -> str:
    if text in _COUNTRIES:
        raise ValueError(f"is the code of a country; the language is {_COUNTRIES[text]!r}")
    if not re.fullmatch(r"[a-z]{2,3}", text):
        raise ValueError(
            "should be an ISO 639 code such as ko or ja; the tokenizer's own codes go under codes"
        )
    return text


def _rate_code(text: str) -> str:
    if not re.fullmatch(r"[A-Z]{3}\d{3}", text):
        raise ValueError("should be the code of a guard such as TXT001")
    return text


Line = Annotated[str, AfterValidator(_one_line)]
EnvironmentName = Annotated[str, AfterValidator(_environment)]
ModelName = Annotated[str, AfterValidator(_one_line), AfterValidator(_model_name)]
Language = Annotated[str, AfterValidator(_language)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Rate = Annotated[float, Field(ge=0, le=1)]
Score = Annotated[float, Field(ge=0, le=100)]
RateCode = Annotated[str, AfterValidator(_rate_code)]


class SpecSection(BaseModel):
    """What every map of a spec has in common: strict types, no unknown key, null for unset."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _drop_unset(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {key: value for key, value in data.items() if value is not None or key not in cls.model_fields}


class Model(SpecSection):
    """The model to run. Code that a checkpoint brings along is never executed."""

    name: ModelName = Field(description="Hub name (`facebook/nllb-200-3.3B`) or folder.")
    revision: Line | None = Field(
        default=None, description="Commit, tag or branch on the hub; unset: the newest."
    )
    family: Family | None = Field(
        default=None,
        description="How the model is told its languages. Unset: read from the name, or else from the "
        "checkpoint's config.",
    )
    dtype: Literal["float16", "bfloat16", "float32"] = Field(
        default="float32", description="Number format of the weights once loaded."
    )

    @model_validator(mode="before")
    @classmethod
    def _infer_family(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("name"), str):
            return {**data, "family": data.get("family") or infer_family(data["name"])}
        return data


class Languages(SpecSection):
    """What the text should be, as ISO 639 codes; the guards read these."""

    source: Language = Field(description="Language of the source text: `ko`.")
    target: Language = Field(description="Language that the output should be in: `ja`.")


class Codes(SpecSection):
    """What the tokenizer is given, in its own spelling."""

    source: Line | None = Field(
        default=None, description="`ko_KR` (mBART), `kor_Hang` (NLLB), `ko` (M2M100)."
    )
    target: Line | None = Field(
        default=None, description="`ja_XX`, `jpn_Jpan`, `ja`, `jpn` (Marian); unset: none."
    )


class Data(SpecSection):
    """The text files, one segment a line, UTF-8; paths start at the repository's root."""

    source: Line = Field(description="File to translate.")
    reference: Line | None = Field(default=None, description="Human translation of it; unset: no scores.")


class Generation(SpecSection):
    """How text is generated, in the names of Hugging Face's GenerationConfig; unset: the model's default."""

    batch_size: Count = Field(default=16, description="Lines per batch.")
    max_source_length: Count | None = Field(
        default=None, description="Tokens after which a source line is cut."
    )
    max_length: Count | None = Field(default=None, description="Highest number of tokens in an output.")
    max_new_tokens: Count | None = Field(
        default=None, description="The same, the prompt aside; not beside max_length."
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
        default=None, description="Above 1 makes tokens that were used already less likely; 1 is none."
    )
    no_repeat_ngram_size: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="No n-gram of this size occurs twice; 0 is off."
    )
    do_sample: bool | None = Field(
        default=None, description="Draw tokens at random instead of taking the best."
    )
    temperature: Positive | None = Field(default=None, description="Of sampling.")
    top_k: Annotated[int, Field(ge=0)] | None = Field(default=None, description="Of sampling; 0 is off.")
    top_p: Rate | None = Field(default=None, description="Of sampling; 1 is off.")

    @field_validator("max_new_tokens")
    @classmethod
    def _one_limit(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and info.data.get("max_length") is not None:
            raise ValueError("cannot stand beside max_length: unset one with null")
        return value

    def parameters(self) -> dict[str, Json]:
        """What `model.generate` is given: the parameters that are set, without the two about batching."""
        return self.model_dump(exclude_none=True, exclude={"batch_size", "max_source_length"})


class Guards(SpecSection):
    """Limits that turn what a guard measures into a finding. Unset: the guard's own limit."""

    max_rate: Mapping[RateCode, Rate] = Field(
        default_factory=dict,
        description="Highest share (0-1) of flagged lines, by guard code: `{TXT001: 0.01}`.",
    )
    min_bleu: Score | None = Field(default=None, description="Lowest BLEU, 0-100.")
    min_chrf: Score | None = Field(default=None, description="Lowest chrF++, 0-100.")
    min_token_ratio: Positive | None = Field(
        default=None, description="Lowest output tokens per reference token."
    )
    max_token_ratio: Positive | None = Field(
        default=None, description="Highest output tokens per reference token."
    )

    @field_validator("max_rate", mode="before")
    @classmethod
    def _drop_unset_rates(cls, value: Any) -> Any:
        return (
            {key: rate for key, rate in value.items() if rate is not None}
            if isinstance(value, dict)
            else value
        )


class ExperimentSpec(SpecSection):
    """What every spec has, whatever its task: what it is called, where it runs, and its digest."""

    title: Line | None = Field(default=None, description="One line for people.")
    notes: str | None = Field(default=None, description="Anything else for people.")
    status: Literal["planned", "ready"] = Field(
        default="ready", description="`planned`: thought of, not run yet. Changes nothing about how it runs."
    )
    extends: Line | None = Field(
        default=None,
        description="Spec that this one starts from, by its path under `experiments/` without `.yaml`.",
    )
    seed: int = Field(default=0, ge=0, le=2**32 - 1, description="Seed of every random generator.")
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="`auto`: a GPU where there is one."
    )
    environment: EnvironmentName | None = Field(
        default=None,
        description="Lockfile to run with, by its name under `lockfiles/` (`mt-4.57.6`) or by its path "
        "(`….txt`, `pylock.….toml`): as installed, or else built. Unset: what is installed, recorded and not "
        "checked.",
    )
    clean: bool = Field(default=False, description="Refuse to run with uncommitted changes.")

    _name: str = PrivateAttr(default="")

    @property
    def name(self) -> str:
        """The experiment's name: its file's, without `.yaml`."""
        return self._name

    def named(self, name: str) -> Self:
        """The same content as the experiment `name`."""
        copy = self.model_copy()
        copy._name = name
        return copy

    def resolved(self) -> dict[str, Json]:
        """The whole content after inheritance and overrides, as JSON; unset keys are left out."""
        return self.model_dump(mode="json", exclude_none=True, exclude={"extends"})

    def digested(self) -> dict[str, Json]:
        """The part of the resolved content that says what is run: no title, notes, status or output path."""
        return {key: value for key, value in self.resolved().items() if key not in NOT_DIGESTED}

    @property
    def digest(self) -> str:
        """The digest of `digested()`: equal for specs that run the same."""
        return digest_json(self.digested())


class TextExperiment(ExperimentSpec):
    """What every spec has whose model writes text."""

    languages: Languages
    codes: Codes = Field(default_factory=Codes)
    guards: Guards = Field(default_factory=Guards)


class GenerationSpec(TextExperiment):
    """A generation, resolved: its file, what it extends, and the command line, merged and checked."""

    task: Literal["generation"] = Field(default="generation", description="What is done with the model.")
    model: Model
    data: Data
    output: Line = Field(description="File to write, from the repository's root.")
    failure_marker: Line = Field(
        default="FAILED_TRANSLATION_CLEANED",
        description="Output line that stands for a line that could not be translated.",
    )
    generation: Generation = Field(default_factory=Generation)

    @field_validator("output")
    @classmethod
    def _spares_the_data(cls, output: str, info: ValidationInfo) -> str:
        data = info.data.get("data")
        for role in ("source", "reference"):
            path = getattr(data, role, None)
            if path is not None and posixpath.normpath(path) == posixpath.normpath(output):
                raise ValueError(f"is the same file as data.{role}, which it would overwrite")
        return output
