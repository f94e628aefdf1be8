"""The inputs of a training of a forecaster: series, model, and the worker's job.

A real run reads the files that its spec names. A rehearsal takes generated series and tiny sizes, so that
everything else is the same code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from ledger.commands.run.data_files import describe_model, digest_inputs, find_data
from ledger.commands.run.plan import Plan
from ledger.commands.run.recorder import Recorder
from ledger.commands.run.training.inputs import checkpoints_need, output_folder
from ledger.errors import LedgerError
from ledger.evidence.preflight import DiskNeed
from ledger.findings import Json
from ledger.specs import ForecastingSpec
from ledger.utils.csv_series import read_column
from ledger.utils.hashing import digest_file, digest_json
from ledger.workspace import Workspace
from runners.host.training import ForecastJob, write_series
from runners.rehearsal.forecasting import (
    WINDOW,
    made_series,
    scaled_config,
    scaled_development,
    scaled_training,
)


@dataclass(frozen=True, slots=True)
class ForecastingInputs:
    """The series by time frame, oldest value first, and their facts for the journal."""

    data: Mapping[str, Json]
    digest: str
    series: Mapping[str, Sequence[float]]


ForecastingPlan = Plan[ForecastingSpec, ForecastingInputs]


def read_forecasting_inputs(
    spec: ForecastingSpec, workspace: Workspace, *, rehearsal: bool
) -> ForecastingInputs:
    """The series of this run. Raises LedgerError where a file is missing, malformed or too short."""
    if rehearsal:
        made = made_series(list(spec.data.series), spec.seed)
        data: dict[str, Json] = {
            frame: {"path": f"rehearsal.{frame}", "sha256": digest_json(values), "lines": len(values)}
            for frame, values in made.items()
        }
        return ForecastingInputs(data, digest_inputs(spec, data), made)
    series: dict[str, Sequence[float]] = {}
    data = {}
    for frame, name in spec.data.series.items():
        path = find_data(spec, workspace, f"series.{frame}", name)
        series[frame] = _read(spec, name, path)
        data[frame] = {"path": name, **digest_file(path), "lines": len(series[frame])}
    if spec.model.name is not None and (model := describe_model(spec.model.name, workspace)):
        data["model"] = model
    return ForecastingInputs(data, digest_inputs(spec, data), series)


def disk_need(spec: ForecastingSpec, rehearsal: bool) -> DiskNeed:
    """What a run writes."""
    kept = spec.training.save_total_limit or spec.training.epochs
    return checkpoints_need(spec.model.config.count, kept, rehearsal)


def window_of(plan: ForecastingPlan) -> int:
    """Values in a window: the spec's, or fewer in a rehearsal."""
    return WINDOW if plan.request.rehearse else plan.spec.data.window


def make_job(plan: ForecastingPlan, recorder: Recorder) -> ForecastJob:
    """The worker's job; the series are written into the run's folder."""
    spec, rehearsal, work = plan.spec, plan.request.rehearse, recorder.folder
    series = {
        frame: write_series(values, work / "series" / f"{place}.f64")
        for place, (frame, values) in enumerate(plan.inputs.series.items())
    }
    config, training = spec.model.config.parameters(), spec.training.model_dump(exclude_none=True)
    development = spec.development.model_dump(exclude_none=True)
    return ForecastJob(
        run=recorder.run,
        environment=plan.environment.digest,
        model={
            "name": None if rehearsal else _initial_model(spec, plan.workspace),
            "revision": spec.model.revision,
            "config": scaled_config(config) if rehearsal else config,
        },
        series=series,
        window=window_of(plan),
        validation_share=spec.data.validation_share,
        training=scaled_training(training) if rehearsal else training,
        development=scaled_development() if rehearsal else development,
        masking=spec.masking.model_dump(),
        folder=output_folder(plan, recorder),
        work=work,
        seed=spec.seed,
        device="cpu" if rehearsal else spec.device,
        threads=1 if rehearsal else None,  # the other core is for the verification
    )


def batches(spec: Mapping[str, Json], rows: Mapping[str, int]) -> int | None:
    """Batches in an epoch of a resolved spec: by its limit, and by the `rows` of each series if known."""
    limit: int | None = spec["development"].get("limit_train_batches")
    if not rows:
        return limit
    window, share = spec["data"]["window"], spec["data"]["validation_share"]
    windows = sum(max(0, _train_rows(count, share) - window) for count in rows.values())
    available: int = ceil(windows / spec["training"]["batch_size"])
    return available if limit is None else min(limit, available)


def _train_rows(rows: int, share: float) -> int:
    """Rows of the training part, split as in the worker."""
    return rows - max(1, round(share * rows))


def _initial_model(spec: ForecastingSpec, workspace: Workspace) -> str | None:
    name = spec.model.name
    folder = workspace.root / name if name else None
    return str(folder) if folder and folder.is_dir() else name


def _read(spec: ForecastingSpec, name: str, path: Path) -> Sequence[float]:
    values = read_column(path, spec.data.column)
    if _train_rows(len(values), spec.data.validation_share) <= spec.data.window:
        raise LedgerError(
            f"{name} has {len(values):,} values: too few for windows of {spec.data.window} and a validation",
            hint="give a longer series, or a smaller data.window",
        )
    return values
