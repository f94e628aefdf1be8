"""Training health for `ledger run`: the schedule before the start, the series, and the library defaults.

Collects the evidence for the guards of `guards.training` and for PRE006 from the spec and the record.
"""

from collections.abc import Mapping, Sequence
from math import ceil

from guards.guard import inspect
from guards.preflight import insufficient_memory as fits
from guards.preflight import leaked_lines
from guards.training import SERIES, changed_defaults, unscaled_schedule
from ledger.commands.run.training.inputs import TrainingPlan, count_parameters
from ledger.commands.run.training.leaks import find_leaks
from ledger.evidence import Evidence, Unobserved
from ledger.evidence.preflight import HeldOutText
from ledger.evidence.training import (
    DeviceMemory,
    EffectiveSettings,
    EvaluationPoint,
    MemoryNeed,
    TrainingFailure,
    TrainingLimits,
    TrainingPoint,
    TrainingSeries,
)
from ledger.evidence.training import TrainingPlan as Schedule
from ledger.findings import Json, Report, Skip, Verdict
from ledger.journal.run import Run
from ledger.specs import TrainingSpec
from runners.resources.memory import device_memory, training_need

# Defaults of TrainingArguments, the same in transformers 4.57 and 5.x.
DEFAULTS: Mapping[str, float] = {
    "per_device_train_batch_size": 8,
    "gradient_accumulation_steps": 1,
    "num_train_epochs": 3.0,
    "learning_rate": 5e-5,
    "warmup_steps": 0,
}
COMPARED = ("training", "model", "generation")
NO_GOOD_RUN = Unobserved("no earlier run of this training passed")


def inspect_plan(plan: TrainingPlan) -> Report:
    """PRE006, PRE007 and TRN007: the device's memory, leaked validation lines, and the schedule."""
    good = last_good(plan)
    parent = schedule_of(good.spec, good.started["data"], good.id) if good else NO_GOOD_RUN
    now = schedule_of(plan.spec.digested(), plan.inputs.data, plan.spec.name)
    expected = Evidence().including(Schedule, parent).including(MemoryNeed, _need(plan))
    actual = Evidence(now).including(DeviceMemory, _device(plan))
    return inspect((fits, unscaled_schedule), expected, actual) + _inspect_leaks(plan)


def inspect_series(
    points: Sequence[TrainingPoint],
    limits: TrainingLimits,
    failure: TrainingFailure | None = None,
    evaluations: Sequence[EvaluationPoint] = (),
    stated: Mapping[str, Json] | None = None,
) -> Report:
    """The guards on a series of unfiltered losses; `failure` describes how the training failed."""
    series = TrainingSeries(
        tuple(points),
        filtered=False,
        failure=failure,
        evaluations=tuple(evaluations),
        declared=stated or {},
    )
    return inspect(SERIES, Evidence(limits), Evidence(series))


def inspect_defaults(plan: TrainingPlan, effective: Mapping[str, Json]) -> Report:
    """TRN008: the settings that this training really had, compared with those of the last good one."""
    good = last_good(plan)
    earlier = good.effective if good else None
    expected = _settings(good.id, earlier, frozenset()) if good and earlier else NO_GOOD_RUN
    actual = _settings(plan.spec.name, effective, _chosen(plan.spec))
    return inspect((changed_defaults,), Evidence().including(EffectiveSettings, expected), Evidence(actual))


def last_good(plan: TrainingPlan) -> Run | None:
    """The newest training that passed: of this experiment, or else of the one that its spec extends."""
    base = (plan.spec.extends or "").rpartition("/")[2]
    passed = [
        run
        for run in plan.runs
        if run.status == "finished" and run.verdict is Verdict.PASS and run.task == "training"
    ]
    own = [run for run in passed if run.experiment == plan.spec.name]
    parents = own or [run for run in passed if run.experiment == base]
    return parents[-1] if parents else None


def schedule_of(spec: Mapping[str, Json], data: Mapping[str, Json], run: str) -> Schedule:
    """The schedule on one device, from a resolved spec and the journal's facts about its data."""
    given: dict[str, float] = {**DEFAULTS, **spec.get("training", {})}
    batch = int(given["per_device_train_batch_size"])
    accumulation = int(given["gradient_accumulation_steps"])
    facts = data.get("train.source") or data.get("train") or {}
    examples = facts.get("lines")
    steps = given.get("max_steps")
    if steps is None and examples:
        per_epoch = max(1, ceil(ceil(examples / batch) / accumulation))
        steps = ceil(per_epoch * given["num_train_epochs"])
    return Schedule(
        run=run,
        train_examples=examples,
        batch_size=batch,
        accumulation=accumulation,
        epochs=given["num_train_epochs"] if "max_steps" not in given else None,
        steps=int(steps) if steps is not None else None,
        warmup_steps=int(given["warmup_steps"]),
        learning_rate=given["learning_rate"],
    )


def _inspect_leaks(plan: TrainingPlan) -> Report:
    train, validation = plan.inputs.train, plan.inputs.validation
    if train is None or validation is None:
        reason = "a rehearsal is evaluated on the lines that it learns"
        return Report(skips=(Skip(leaked_lines.CODE, reason),))
    held_out = HeldOutText(plan.spec.data.validation.source, validation.lines)
    return inspect((leaked_lines,), Evidence(held_out), Evidence(find_leaks(train, validation)))


def _need(plan: TrainingPlan) -> MemoryNeed | Unobserved:
    if plan.request.rehearse:
        return Unobserved("a rehearsal trains a tiny model")
    parameters = count_parameters(plan.spec)
    if parameters is None:
        return Unobserved("the number of the model's parameters is not known")
    mixed = plan.spec.training.fp16 or plan.spec.training.bf16
    return training_need(parameters, precision="amp" if mixed else "fp32")


def _device(plan: TrainingPlan) -> DeviceMemory | Unobserved:
    return device_memory(plan.spec.device)


def _settings(run: str, effective: Mapping[str, Json], chosen: frozenset[str]) -> EffectiveSettings:
    runtime = effective.get("runtime", {})
    versions = {name: str(runtime[name]) for name in ("transformers", "torch") if name in runtime}
    return EffectiveSettings(run, {part: effective.get(part, {}) for part in COMPARED}, chosen, versions)


def _chosen(spec: TrainingSpec) -> frozenset[str]:
    """The dotted paths that the spec sets, to null too; the sizes of a new model are its own as well."""
    config = spec.model.config
    model = {*config.parameters(), *config.chosen} if config else set()
    return frozenset(
        [*(f"training.{name}" for name in spec.training.chosen), *(f"model.{name}" for name in model)]
    )
