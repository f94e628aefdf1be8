"""A forecasting beside its parent: its schedule before it starts, its time frames afterwards.

Collects what TRN007, PRE006, TRN009 and TRN010 read, from the specs and from the record.
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
from runners.host.training import FamilyMeasurement
from runners.resources.memory import Precision, device_memory, training_need

# The made series can be forecast to 0.94. 0.5 is far above chance, and below what a sound rehearsal reached
# after its first epoch (0.63 to 0.88, measured on the six time frames of t5-v56).
REHEARSAL_MIN_CORRELATION = 0.5
SCALE = (-1.0, 1.0)
MADE = "a rehearsal learns a made series: whether that is forecast better says nothing"
NO_PARENT = "it has no parent: name one with parent, or let it extend an experiment"
MEMORY: Mapping[str, Precision] = {"32": "fp32", "16-mixed": "amp", "bf16-mixed": "amp"}


def inspect_plan(
    workspace: Workspace,
    spec: ForecastingSpec,
    request: RunRequest,
    runs: Iterable[Run],
    rows: Mapping[str, int],
) -> Report:
    """PRE006 and TRN007: whether it fits the device, and whether its schedule followed its data.

    It is held against the newest good run of its parent, or else against the parent's spec as it stands:
    that takes no run, so that it is told before anything is paid for. `rows` is empty where nobody knows.
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
    against = f"no run of {spec.compared_with} passed yet" if spec.compared_with else NO_PARENT
    limits = FamilyLimits(parent, against, min_mean=spec.guards.min_correlation)
    if rehearsal:
        limits = FamilyLimits(no_parent=MADE, min_mean=REHEARSAL_MIN_CORRELATION)
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


def family_of_news(news: FamilyMeasurement, run: str, spec: ForecastingSpec, window: int) -> MetricFamily:
    """What was measured last, with how."""
    signature = (
        f"pearson|horizon:1|window:{window}|newest:{spec.data.validation_share:g}"
        f"|windows:{sum(news.counts.values())}"
    )
    return MetricFamily(run, news.name, news.values, news.counts, signature)


def family_of_run(run: Run | None) -> MetricFamily | None:
    """What a recorded run measured; None where it measured none."""
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
    """The family as the journal has it, and beside it how many members improved on the parent run.

    The members are a list: the journal sorts the keys of maps, and H1 belongs behind M30.
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
    """Each member's metric where it has a value, and the mean under the family's own name."""
    named = {family.name: family.mean}
    named |= {f"{family.name}_{member}": value for member, value in family.values.items()}
    return {
        name: Metric(value, family.signature, SCALE) for name, value in named.items() if math.isfinite(value)
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
