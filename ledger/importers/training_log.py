"""The training log of an imported run, as the Hugging Face Trainer would have written it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import isfinite

from ledger.evidence.imported_claims import ClaimedRun
from ledger.evidence.training import EvaluationPoint, TrainingSeries, series_of_log
from ledger.findings import Json
from ledger.utils.json_values import to_number

# What other tools and loggers call the columns of a Trainer's log.
NAMES: Mapping[str, str] = {
    "train/loss": "loss",
    "train_loss": "loss",
    "training_loss": "loss",
    "train_loss_step": "loss",
    "loss_step": "loss",
    "train/grad_norm": "grad_norm",
    "train/learning_rate": "learning_rate",
    "lr": "learning_rate",
    "lr-AdamW": "learning_rate",
    "lr-Adam": "learning_rate",
    "train/reward": "reward",
    "train/rewards/margins": "rewards/margins",
}
_EVALUATION = re.compile(r"^(?:eval/|(?:val|valid|validation|dev)[_/])")
# Names of losses and scores, where NaN is a failure. Other metrics may be undefined now and then.
_QUALITY = re.compile(
    r"(?i)loss|nll|perplexity|(?:^|[^a-z])(?:ppl|(?:sacre)?bleu|chrf|comet|meteor|[wct]er|rouge\w*)(?![a-z])"
)
SETTINGS: Mapping[str, tuple[str, ...]] = {
    "learning_rate": ("learning_rate", "lr", "optimizer.lr"),
    "per_device_train_batch_size": ("per_device_train_batch_size",),
    "max_steps": ("max_steps",),
    "lr_scheduler_type": ("lr_scheduler_type", "lr_scheduler"),
}
NUMBER = r"(\d+(?:\.\d+)?(?:e-?\d+)?)"
STATED_IN_NAMES: Mapping[str, re.Pattern[str]] = {
    "learning_rate": re.compile(rf"(?i)(?:^|[^a-z])(?:learning[_-]?rate|lr)[_=-]?{NUMBER}(?![\d.])"),
    "per_device_train_batch_size": re.compile(r"(?i)(?:^|[^a-z])(?:batch[_-]?size|bs)[_=-]?(\d+)(?!\d)"),
}


def training_log(run: ClaimedRun, source: str) -> TrainingSeries:
    """The run's series as a training log. `source` is its path, whose last part may state a setting.

    A loss that was logged once is a final mean, not a point of a curve. Losses and scores under other names,
    and final values without a series, are taken only where they are not finite.
    """
    named: dict[str, str] = {}
    for name, points in run.series.items():
        to = column(name)
        if to not in named.values() and (to == name or len(points) > 1):
            named[name] = to
    rows: dict[int, dict[str, Json]] = {}
    for name, to in named.items():
        for point in run.series[name]:
            rows.setdefault(point.step, {"step": point.step})[to] = point.value
    log = [rows[step] for step in sorted(rows)]
    series = series_of_log(log, declared=stated_settings(run, source), logged=run.logged)
    judged = {"loss", "grad_norm", "learning_rate"}
    others = [
        EvaluationPoint(point.step, {name: point.value})
        for name, points in run.series.items()
        if _QUALITY.search(name)
        and not (to := named.get(name, "")).startswith("eval_")
        and to not in judged
        and not all(isfinite(point.value) for point in points)
        for point in points
    ]
    final = {
        name: value
        for name, value in run.metrics.items()
        if name not in run.series and not isfinite(value) and _QUALITY.search(name)
    }
    return replace(series, evaluations=(*series.evaluations, *others), final=final)


def column(name: str) -> str:
    """What the Trainer's log calls the series that a tool or logger calls `name`."""
    return NAMES.get(name) or _EVALUATION.sub("eval_", name)


def stated_settings(run: ClaimedRun, source: str) -> dict[str, Json]:
    """The settings of a training that the run's configuration states, else the name of its folder."""
    name = source.rstrip("/").rpartition("/")[2]
    return {**stated_in_name(run.experiment), **stated_in_name(name), **dict(_in_params(run.params))}


def stated_in_name(name: str) -> dict[str, Json]:
    """The settings that the name of a run or of its folder states: `lr_2e-5`, `bs16`."""
    found = {setting: pattern.search(name) for setting, pattern in STATED_IN_NAMES.items()}
    return {setting: float(match[1]) for setting, match in found.items() if match}


def _in_params(params: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    for setting, names in SETTINGS.items():
        value = next((params[name] for name in names if params.get(name) is not None), None)
        if value is not None and (setting == "lr_scheduler_type" or _number(value) is not None):
            yield setting, value if setting == "lr_scheduler_type" else _number(value)


def _number(value: Json) -> float | None:
    """A number, also where it is written as text, as MLflow has it."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    return to_number(value)
