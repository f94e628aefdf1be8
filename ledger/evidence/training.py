"""Training evidence: how a training went, step by step, what it was planned to be, and what its settings are.

Plain values that the training-health guards read. Collecting them is in `runners`, judging in
`guards.training`; `series_of_log` reads the log that the Hugging Face Trainer keeps itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import ClassVar

from ledger.evidence import Slice
from ledger.findings import Json
from ledger.utils.json_values import to_metric, to_number

# The Trainer rounds a logged loss to 4 decimals: below 100 units of that, what differs may be rounding.
LOSS_RESOLUTION = 0.01


@dataclass(frozen=True, slots=True)
class TrainingPoint:
    """One optimizer step or one row of a log; None for what was not observed.

    `loss` is the mean over the row's steps. `grad_norm` is the global L2 norm before clipping, with the AMP
    scale divided out. `amp_scale` is the GradScaler's factor after the step.
    """

    step: int
    loss: float | None = None
    grad_norm: float | None = None
    learning_rate: float | None = None
    amp_scale: float | None = None


@dataclass(frozen=True, slots=True)
class EvaluationPoint:
    """One evaluation during a training: its metrics by name (`eval_loss`, `eval_wer`), which may be NaN."""

    step: int
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class TrainingFailure:
    """How a training ended that did not end well: the exception as text, or the signal that killed it.

    `step` is the step that was under way; None where that is not known.
    """

    message: str
    step: int | None = None
    signal: int | None = None


@dataclass(frozen=True, slots=True)
class TrainingSeries(Slice):
    """A training as far as it went, oldest step first.

    `filtered`: the losses went through the Trainer's `logging_nan_inf_filter`, which is on by default and
    leaves NaN and Inf out of the mean. False where each step's own loss was seen.
    `final`: losses and scores of which only a final value is known, by name.
    `rewards`: the mean reward by step of a training that maximizes one (GRPO, DPO): its loss says little.
    `declared`: settings that a spec, a config or a folder's name states, as TrainingArguments calls them;
    `logged`: those that the trainer's own notes have.
    """

    NAME: ClassVar = "training"
    MISSING: ClassVar = "no training was watched"

    points: tuple[TrainingPoint, ...] = ()
    filtered: bool = True
    failure: TrainingFailure | None = None
    evaluations: tuple[EvaluationPoint, ...] = ()
    final: Mapping[str, float] = field(default_factory=dict)
    rewards: tuple[tuple[int, float], ...] = ()
    declared: Mapping[str, Json] = field(default_factory=dict)
    logged: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrainingLimits(Slice):
    """Expected of a training: what is taken for healthy. Sources and reasons: docs/training-health.md.

    `window` is how many points before a point it is held against, `least_points` the fewest that will do.
    """

    window: int = 30
    least_points: int = 10
    # A trend compares medians of `trend_rows` rows, from `trend_points` rows on; docs/training-health.md has
    # how these limits did on public logs.
    trend_rows: int = 10
    trend_points: int = 20
    returned_share: float = 0.95
    returned_rise: float = 1.1
    step_rows: int = 3
    step_rise: float = 1.4
    step_deviations: float = 5.0
    shift_times: float = 2.2
    shift_deviations: float = 3.5
    short_rise: float = 1.2
    unlearned_share: float = 0.95
    # Loss: OLMo 2 (2025) counts a value at 7 standard deviations from the rolling mean as a spike. Here the
    # median and the MAD, which a spike does not move; and half as high again as nine in ten of the points
    # before, so that a very smooth curve may have a bump and a mixture of batches its hard ones.
    spike_deviations: float = 7.0
    spike_rise: float = 0.5
    diverged_times: float = 3.0
    repeated_losses: int = 5
    # Gradient norm: Pascanu et al. (2013) clip at half to ten times the average norm, so ten times the
    # median is beyond what clipping is for; one such step may be one odd batch, three in a row are not.
    exploding_times: float = 10.0
    exploding_points: int = 3
    exploding_at_once: float = 100.0
    # Norms of 0.02 to 0.04 were seen in a fine-tuning that learned nothing, 0.1 to 0.9 in sound ones in fp32.
    vanishing_norm: float = 0.05
    learned_share: float = 0.5
    # DeepSpeed's min_loss_scale; torch's GradScaler starts at 65,536 and halves 16 times to get there.
    least_amp_scale: float = 1.0


def limit_problems(stated: Mapping[str, Json]) -> list[str]:
    """What is wrong with limits that somebody states by the names of `TrainingLimits`; perhaps nothing."""
    known = {field.name: field.default for field in fields(TrainingLimits)}
    unknown = [
        f"no limit is called {name}: they are {', '.join(known)}" for name in stated if name not in known
    ]
    wrong = [
        f"{name} should be a {'whole ' if isinstance(known[name], int) else ''}number above 0, not {value!r}"
        for name, value in stated.items()
        if name in known and not _is_limit(value, whole=isinstance(known[name], int))
    ]
    return unknown + wrong


def _is_limit(value: Json, *, whole: bool) -> bool:
    number = to_number(value)
    return number is not None and 0 < number < float("inf") and (not whole or isinstance(value, int))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPlan(Slice):
    """What a training is set to do; None: not known. Expected: the parent run's, actual: this one's.

    `batch_size` is examples per forward pass over all devices, `accumulation` the passes per optimizer step.
    `batches` is passes per epoch, which stands in where the number of examples is not known. `steps` and
    `warmup_steps` count optimizer steps, `learning_rate` is the highest of the schedule.
    """

    NAME: ClassVar = "plan"
    MISSING: ClassVar = "no parent run is on the record"

    run: str
    train_examples: int | None = None
    batches: int | None = None
    batch_size: int | None = None
    accumulation: int = 1
    epochs: float | None = None
    steps: int | None = None
    warmup_steps: int | None = None
    learning_rate: float | None = None
    precision: str | None = None


@dataclass(frozen=True, slots=True)
class EffectiveSettings(Slice):
    """The settings that a training really has, every default filled in. Expected: the last good run's.

    `settings` may be nested (`training`, `model`, `generation`); `chosen` holds the dotted paths that the
    user set, so that all the others are defaults. `run` names the run that they are of.
    """

    NAME: ClassVar = "settings"
    MISSING: ClassVar = "no good run is on the record"

    run: str
    settings: Mapping[str, Json]
    chosen: frozenset[str] = frozenset()
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MemoryNeed(Slice):
    """Bytes that a training keeps on its device from the first step to the last, by what they are for.

    Activations are not in it, unless a part says so: the need is a lower bound.
    """

    parts: Mapping[str, int]
    how: str

    @property
    def total_bytes(self) -> int:
        """All the parts together."""
        return sum(self.parts.values())


@dataclass(frozen=True, slots=True)
class DeviceMemory(Slice):
    """The memory of the device that is to train: all of it, and what nobody uses now."""

    NAME: ClassVar = "memory"
    MISSING: ClassVar = "no training is planned on a device"

    device: str
    total_bytes: int
    free_bytes: int


# What trainers log for the quantity that they maximize, the most telling first.
REWARDS = ("reward", "rewards/margins", "rewards/mean", "objective/rlhf_reward", "rewards/accuracies")


def series_of_log(
    rows: Iterable[Mapping[str, Json]],
    *,
    filtered: bool = True,
    failure: TrainingFailure | None = None,
    declared: Mapping[str, Json] | None = None,
    logged: Mapping[str, Json] | None = None,
) -> TrainingSeries:
    """The series in the Trainer's own `log_history`; its last summary row is left out.

    `filtered`, `declared`, `logged`: as in `TrainingSeries`; the log itself does not have them.
    """
    kept = [row for row in rows if isinstance(row.get("step"), int)]
    points = [
        TrainingPoint(
            step=row["step"],
            loss=to_metric(row.get("loss")),
            grad_norm=to_metric(row.get("grad_norm")),
            learning_rate=to_metric(row.get("learning_rate")),
        )
        for row in kept
        if "loss" in row or "grad_norm" in row
    ]
    reward = next((name for name in REWARDS if any(name in row for row in kept)), None)
    rewards = [(row["step"], to_metric(row.get(reward))) for row in kept] if reward else []
    return TrainingSeries(
        tuple(points),
        filtered=filtered,
        failure=failure,
        evaluations=tuple(filter(lambda one: one.metrics, map(_evaluation, kept))),
        rewards=tuple((step, value) for step, value in rewards if value is not None),
        declared=declared or {},
        logged=logged or {},
    )


def _evaluation(row: Mapping[str, Json]) -> EvaluationPoint:
    found = {name: to_metric(value) for name, value in row.items() if name.startswith("eval_")}
    metrics = {name: value for name, value in found.items() if value is not None and not _is_timing(name)}
    return EvaluationPoint(row["step"], metrics)


def _is_timing(name: str) -> bool:
    return name.endswith(("_runtime", "_per_second", "_time"))
