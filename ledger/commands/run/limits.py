"""The limits of a run's guards: the spec's, else those of `[tool.ledger]`, else the guards' own."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from guards import registry
from ledger.errors import UsageError
from ledger.evidence.scores import ScoreLimits
from ledger.evidence.training import TrainingLimits, limit_problems
from ledger.findings import Json
from ledger.workspace import Workspace

if TYPE_CHECKING:
    from ledger.specs import GenerationSpec
    from ledger.specs.experiment import TextExperiment

# A tiny model that translates its own training lines scores above 80 in every family. Below this limit the
# fault is in the pipeline (codes, parameters, save and reload), not in the model.
REHEARSAL_MIN_BLEU = 60.0


def max_rates(spec: "GenerationSpec", workspace: Workspace) -> dict[str, float]:
    """The highest allowed rates (0-1) by guard code, as set in the repository and the spec."""
    settings = workspace.settings.get("max_rate", {})
    where, example = "pyproject.toml, [tool.ledger] max_rate", "max_rate = { TXT003 = 0.05 }"
    if not isinstance(settings, dict):
        raise UsageError(f"{where} is not a table", hint=f"name the guards: {example}")
    unknown = sorted(settings.keys() - {*registry.rated()})
    if unknown:
        known = ", ".join(registry.rated())
        raise UsageError(f"{where}: unknown text guard: {', '.join(unknown)}", hint=f"they are {known}")
    invalid = [
        f"{code} = {rate!r}"
        for code, rate in settings.items()
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1
    ]
    if invalid:
        hint = f"a rate is a number between 0 and 1: {example}"
        raise UsageError(f"{where}: invalid rate: {', '.join(invalid)}", hint=hint)
    return {**settings, **spec.guards.max_rate}


def score_limits(spec: "TextExperiment", *, rehearsal: bool) -> ScoreLimits:
    """The limits on scores. A rehearsal has its own: the spec's apply to the real model."""
    if rehearsal:
        return ScoreLimits(min_bleu=REHEARSAL_MIN_BLEU)
    limits = spec.guards.model_dump(exclude_none=True, include={field.name for field in fields(ScoreLimits)})
    return ScoreLimits(**limits)


def training_limits(workspace: Workspace | None, stated: Mapping[str, Json] | None) -> TrainingLimits:
    """The limits of training health; `stated` are those of the spec (`guards.training_limits`).

    Raises UsageError for invalid limits in `[tool.ledger]`.
    """
    settings = workspace.settings.get("training_limits", {}) if workspace else {}
    where, example = "pyproject.toml, [tool.ledger] training_limits", "training_limits = { window = 100 }"
    if not isinstance(settings, dict):
        raise UsageError(f"{where} is not a table", hint=f"name the limits: {example}")
    if problems := limit_problems(settings):
        raise UsageError(f"{where}: {'; '.join(problems)}", hint=f"for example: {example}")
    whole = {field.name for field in fields(TrainingLimits) if isinstance(field.default, int)}
    chosen = {**settings, **(stated or {})}
    return replace(TrainingLimits(), **{k: int(v) if k in whole else v for k, v in chosen.items()})
