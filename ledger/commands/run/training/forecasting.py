"""Training a forecaster on time series: `task: forecasting`."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from math import isfinite

from ledger.commands.reporter import Reporter
from ledger.commands.run.monitor import CheckpointMonitor
from ledger.commands.run.plan import RunRequest
from ledger.commands.run.task import ActiveRun, Task
from ledger.commands.run.training.forecasting_checks import (
    inspect_family,
    inspect_plan,
    measured_family,
    metrics_of,
    parent_run,
    record_family,
    recorded_family,
)
from ledger.commands.run.training.forecasting_inputs import (
    ForecastingInputs,
    ForecastingPlan,
    disk_need,
    make_job,
    read_forecasting_inputs,
    window_of,
)
from ledger.commands.run.training.task import TrainingOutcome, execute
from ledger.errors import LedgerError
from ledger.findings import Json, Report
from ledger.journal.runs import load_runs
from ledger.specs import ForecastingSpec
from ledger.workspace import Workspace
from runners.host.training import ForecastJob
from runners.worker.messages import TrainingResult

Active = ActiveRun[ForecastingSpec, ForecastingInputs]


def _read(
    spec: ForecastingSpec, workspace: Workspace, request: RunRequest, reporter: Reporter
) -> ForecastingInputs:
    """The series. Where they cannot be read, findings about the plan itself are reported first."""
    try:
        return read_forecasting_inputs(spec, workspace, rehearsal=request.rehearse)
    except LedgerError:
        runs = [run for run in load_runs(workspace) if run.mode == request.mode]
        reporter.preflight(inspect_plan(workspace, spec, request, runs, {}))
        raise


def _inspect_plan(plan: ForecastingPlan) -> Report:
    rows = {frame: len(values) for frame, values in plan.inputs.series.items()}
    return inspect_plan(plan.workspace, plan.spec, plan.request, plan.runs, rows)


def _make_job(active: Active) -> ForecastJob:
    if active.plan.request.rehearse:
        active.reporter.say("rehearsing with a tiny T5 encoder and generated series, on this machine's CPU")
    return make_job(active.plan, active.recorder)


def _inspect_result(
    active: Active, monitor: CheckpointMonitor, _: TrainingResult
) -> tuple[Report, dict[str, Json]]:
    """TRN009 and TRN010 over the last validation, and the correlations for the record.

    There are none where the training ended before its first validation.
    """
    plan, rehearsal = active.plan, active.plan.request.rehearse
    curve = [{"step": one.step, **_finite(one.values)} for one in monitor.families]
    if not monitor.families:
        return Report(), {"family_curve": curve}
    parent = None if rehearsal else recorded_family(parent_run(plan.spec, plan.runs))
    family = measured_family(monitor.families[-1], active.recorder.run, plan.spec, window_of(plan))
    metrics = {name: asdict(metric) for name, metric in metrics_of(family).items()}
    record = {"family_curve": curve, "metrics": metrics, "family": record_family(family, parent)}
    return inspect_family(family, parent, plan.spec, rehearsal=rehearsal), record


def _finite(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: value if isfinite(value) else None for name, value in values.items()}


FORECASTING = Task(
    read=_read,
    disk_need=disk_need,
    inspect_plan=_inspect_plan,
    make_job=_make_job,
    execute=partial(execute, inspect_result=_inspect_result),
    outcome=TrainingOutcome,
)
