"""What the specs of several tasks share. Inheritance and overrides are applied before these classes check.

Null means unset everywhere, and an unset key takes its default. Every new field defaults to null, so that the
digest of every spec that was ever run stays the same.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, PrivateAttr

from ledger.findings import Json
from ledger.specs.fields import (
    DropNulls,
    EnvironmentName,
    GuardCode,
    HealthLimits,
    Language,
    Line,
    Positive,
    Rate,
    Score,
    SpecSection,
)
from ledger.utils.hashing import digest_json

# Keys that do not change what is run: descriptions, the output path, the run to compare with, and what only
# `--redo-flagged` uses.
NOT_DIGESTED = frozenset({"title", "notes", "status", "output", "parent", "fallback"})


class Languages(SpecSection):
    """Languages of the text, as ISO 639 codes; the guards read these."""

    source: Language = Field(description="Language of the source text: `ko`.")
    target: Language = Field(description="Language that the output should be in: `ja`.")


class Codes(SpecSection):
    """Language codes for the tokenizer, in its own spelling."""

    source: Line | None = Field(
        default=None, description="`ko_KR` (mBART), `kor_Hang` (NLLB), `ko` (M2M100)."
    )
    target: Line | None = Field(
        default=None, description="`ja_XX`, `jpn_Jpan`, `ja`, `jpn` (Marian); unset: none."
    )


class Guards(SpecSection):
    """Limits beyond which a guard's measurement is a finding. Unset: the guard's own limit."""

    max_rate: Annotated[Mapping[GuardCode, Rate], DropNulls] = Field(
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


class HealthGuards(SpecSection):
    """Limits of the guards of training health."""

    training_limits: HealthLimits | None = Field(
        default=None,
        description="Limits of [training health](training-health.md) by name: `{vanishing_norm: 0.01}`.",
    )


class ExperimentSpec(SpecSection):
    """What every spec has, whatever its task: name, environment and digest."""

    title: Line | None = Field(default=None, description="One line for people.")
    notes: str | None = Field(default=None, description="Anything else for people.")
    status: Literal["planned", "ready"] = Field(
        default="ready", description="`planned`: not to be run yet. Changes nothing about how it runs."
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
        "(`….txt`, `pylock.….toml`); used as installed, otherwise built. Unset: the installed packages, "
        "recorded but not checked.",
    )
    clean: bool = Field(default=False, description="Refuse to run with uncommitted changes.")

    _name: str = PrivateAttr(default="")

    @property
    def name(self) -> str:
        """The experiment's name: that of its file, without `.yaml`."""
        return self._name

    def named(self, name: str) -> Self:
        """The same content as the experiment `name`."""
        copy = self.model_copy()
        copy._name = name
        return copy

    def resolved(self) -> dict[str, Json]:
        """The whole content after inheritance and overrides, as JSON, without unset keys."""
        return self.model_dump(mode="json", exclude_none=True, exclude={"extends"})

    def digested(self) -> dict[str, Json]:
        """The part of the resolved content that determines what is run: without `NOT_DIGESTED`."""
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


class TrainedExperiment(ExperimentSpec):
    """What every spec has that trains a model."""

    output: Line = Field(
        description="Folder for the checkpoints, from the repository's root; each run has its own in it."
    )
    on_fail: Literal["stop", "warn"] = Field(
        default="stop",
        description="When a checkpoint fails its verification: end the training at its next step, or go on.",
    )
