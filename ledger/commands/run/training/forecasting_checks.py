"""A forecasting compared with its parent: the schedule before the start, the time frames afterwards.

Collects the evidence for TRN007, PRE006, TRN009 and TRN010 from the specs and the record.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

from guards.guard import inspect
from guards.preflight import insufficient_memory as fits
from guards.training import FAMILY, unscaled_schedule
from guards.training.family_not_improved import shared_members
from ledger.commands.run.plan import RunRequest
from ledger.commands.run.training.forecasting_inputs import batches
from ledger.errors import LedgerError
from ledger.evidence import Evidence, Unobserved
from ledger.evidence.metrics import FamilyLimits, Metric, MetricFamily
from ledger.evidence.training import DeviceMemory, MemoryNeed
from ledger.evidence.training import TrainingPlan as Schedule
from ledger.findings import Json, Report, Verdict
from ledger.journal.run import Run
from ledger.specs import ForecastingSpec, load_experiment
from ledger.workspace import Workspace
from runners.resources.memory import Precision, device_memory, training_need
from runners.worker.messages import FamilyMeasurement

# The best forecast of the generated series has a correlation of 0.94. 0.5 is far above chance, and below what
# a sound rehearsal reached after its first epoch (0.63 to 0.88, measured on the six time frames of t5-v56).
REHEARSAL_MIN_CORRELATION = 0.5
SCALE = (-1.0, 1.0)
GENERATED = "a rehearsal trains on generated series: whether they are forecast better means nothing"
NO_PARENT = "it has no parent: name one with `parent`, or extend an experiment"
MEMORY: Mapping[str, Precision] = {"32": "fp32", "16-mixed": "amp", "bf16-mixed": "amp"}


def inspect_plan(
    workspace: Workspace,
    spec: ForecastingSpec,
    request: RunRequest,
    runs: Iterable[Run],
    rows: Mapping[str, int],
) -> Report:
    """PRE006 and TRN007: whether it fits the device, and whether its schedule matches its data.

    It is compared with the newest good run of its parent, or else with the parent's present spec, so that
    no run is needed. `rows` is the length of each series, empty where they could not be read.
    """
    need: MemoryNeed | Unobserved
    need = Unobserved("a rehearsal trains a tiny model") if request.rehearse else _need(spec)
    parent = _parent_schedule(workspace, spec, runs)
    expected = Evidence().including(Schedule, parent).including(MemoryNeed, need)
    now = schedule_of(spec.digested(), spec.name, {} if request.rehearse else rows)
    actual = Evidence(now).including(DeviceMemory, device_memory(spec.device))
    return inspect((fits, unscaled_schedule), expected, actual)


def schedule_of(spec: Mapping[str, Json], run: str, rows: Mapping[str, int]) -> Schedule:
    """The plan that a resolved spec amounts to; in a rehearsal the real one's, which is what is rehearsed."""
    training, each = spec["training"], batches(spec, rows)
    epochs = training["epochs"]
    return Schedule(
        run=run,
        batches=each,
        batch_size=training["batch_size"],
        epochs=epochs,
        steps=each * epochs if each else None,
        warmup_steps=round(each * training["warmup_epochs"]) if each else None,
        learning_rate=training["optimizer"]["lr"],
        precision=training["precision"],
    )


def inspect_family(
    family: MetricFamily, parent: MetricFamily | None, spec: ForecastingSpec, *, rehearsal: bool
) -> Report:
    """TRN009 and TRN010: how many time frames improved on the parent run, and the mean."""
    against = f"no run of {spec.compared_with} has passed" if spec.compared_with else NO_PARENT
    limits = FamilyLimits(parent, against, min_mean=spec.guards.min_correlation)
    if rehearsal:
        limits = FamilyLimits(no_parent=GENERATED, min_mean=REHEARSAL_MIN_CORRELATION)
    if spec.guards.min_improved is not None:
        limits = replace(limits, min_improved=spec.guards.min_improved)
    return inspect(FAMILY, Evidence(limits), Evidence(family))


def parent_run(spec: ForecastingSpec, runs: Iterable[Run]) -> Run | None:
    """The newest run of the parent experiment that passed; `runs` are those of the same mode."""
    passed = [
        run
        for run in runs
        if run.experiment == spec.compared_with and run.status == "finished" and run.verdict is Verdict.PASS
    ]
    return passed[-1] if passed else None


def measured_family(
    measured: FamilyMeasurement, run: str, spec: ForecastingSpec, window: int
) -> MetricFamily:
    """A measurement as a metric family, with the signature of how it was measured."""
    signature = (
        f"pearson|horizon:1|window:{window}|newest:{spec.data.validation_share:g}"
        f"|windows:{sum(measured.counts.values())}"
    )
    return MetricFamily(run, measured.name, measured.values, measured.counts, signature)


def recorded_family(run: Run | None) -> MetricFamily | None:
    """The metric family of a recorded run, if it has one."""
    facts = run.family if run else None
    if run is None or not facts:
        return None
    members = facts["members"]
    return MetricFamily(
        run=run.id,
        name=facts["name"],
        values={one["name"]: math.nan if one["value"] is None else one["value"] for one in members},
        counts={one["name"]: one["count"] for one in members},
        signature=facts["signature"],
    )


def record_family(family: MetricFamily, parent: MetricFamily | None) -> dict[str, Json]:
    """The family as the journal stores it, and how many members improved on the parent run.

    The members are a list, since the journal sorts the keys of maps, and H1 belongs after M30.
    """
    before = dict(parent.values) if parent else {}
    members = [
        {
            "name": name,
            "value": _known(value),
            "count": family.counts[name],
            "parent": _known(before.get(name)),
        }
        for name, value in family.values.items()
    ]
    facts: dict[str, Json] = {"name": family.name, "members": members, "signature": family.signature}
    if parent is not None:
        shared = shared_members(parent, family)
        improved = sum(after > old for old, after in shared.values())
        facts["parent"] = {"run": parent.run, "improved": improved, "of": len(shared)}
    return facts


def metrics_of(family: MetricFamily) -> dict[str, Metric]:
    """The metric of each member that has a value, and the mean under the family's own name."""
    metrics = {family.name: family.mean}
    metrics |= {f"{family.name}_{member}": value for member, value in family.values.items()}
    return {
        name: Metric(value, family.signature, SCALE)
        for name, value in metrics.items()
        if math.isfinite(value)
    }


def _parent_schedule(
    workspace: Workspace, spec: ForecastingSpec, runs: Iterable[Run]
) -> Schedule | Unobserved:
    if spec.compared_with is None:
        return Unobserved(NO_PARENT)
    good = parent_run(spec, runs)
    if good is not None:
        rows = {} if good.is_rehearsal else _rows(good)
        return schedule_of(good.spec, good.id, rows)
    try:
        parent = load_experiment(spec.compared_with, workspace.experiments)
    except LedgerError as error:
        return Unobserved(f"its parent cannot be read: {error.message}")
    if not isinstance(parent, ForecastingSpec):
        return Unobserved(f"its parent, {parent.name}, is a {parent.task}")
    return schedule_of(parent.digested(), parent.name, {})


def _rows(run: Run) -> dict[str, int]:
    return {name: file.lines for name, file in run.data.items() if file.lines is not None}


def _need(spec: ForecastingSpec) -> MemoryNeed:
    return training_need(spec.model.config.count, precision=MEMORY[spec.training.precision])


def _known(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
