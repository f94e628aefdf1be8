"""What goes into a forecasting: its series, its model, and the job that a worker is given.

A real run reads the files that its spec names. A rehearsal takes a made series and tiny sizes, so that
everything else can be the same code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from ledger.commands.run.generation_inputs import folder_facts
from ledger.commands.run.plan import Plan
from ledger.commands.run.training.inputs import CHECKPOINT_BYTES, output_folder
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
from runners.resources.disk import RUN_BYTES, rehearsal_need


@dataclass(frozen=True, slots=True)
class ForecastingInputs:
    """The series by time frame, oldest value first, and how the journal names them."""

    data: Mapping[str, Json]
    digest: str
    series: Mapping[str, Sequence[float]]


ForecastingPlan = Plan[ForecastingSpec, ForecastingInputs]


def read_forecasting_inputs(
    spec: ForecastingSpec, workspace: Workspace, *, rehearsal: bool
) -> ForecastingInputs:
    """What this run reads. Raises LedgerError where a file is missing, malformed or too short."""
    if rehearsal:
        made = made_series(list(spec.data.series), spec.seed)
        data: dict[str, Json] = {
            frame: {"path": f"rehearsal.{frame}", "sha256": digest_json(values), "lines": len(values)}
            for frame, values in made.items()
        }
        return ForecastingInputs(data, _digest(spec, data), made)
    series: dict[str, Sequence[float]] = {}
    data = {}
    for frame, name in spec.data.series.items():
        path = workspace.root / name
        series[frame] = _read(spec, frame, name, path)
        data[frame] = {"path": name, **digest_file(path), "lines": len(series[frame])}
    if spec.model.name is not None and (model := folder_facts(spec.model.name, workspace)):
        data["model"] = model
    return ForecastingInputs(data, _digest(spec, data), series)


def disk_need(spec: ForecastingSpec, *, rehearsal: bool) -> DiskNeed:
    """What a run writes: as many checkpoints as it keeps, one more while saving, one in a snapshot."""
    if rehearsal:
        return rehearsal_need()
    size, kept = spec.model.config.count, (spec.training.save_total_limit or spec.training.epochs) + 2
    how = f"{kept} checkpoints of about {size:,} parameters x {CHECKPOINT_BYTES} bytes at one time"
    return DiskNeed(kept * CHECKPOINT_BYTES * size + RUN_BYTES, how)


def make_job(plan: ForecastingPlan, run: str, work: Path) -> ForecastJob:
    """What the worker is asked to do; the series are written into `work`, the run's folder."""
    spec, rehearsal = plan.spec, plan.request.rehearse
    series = {
        frame: write_series(values, work / "series" / f"{place}.f64")
        for place, (frame, values) in enumerate(plan.inputs.series.items())
    }
    config, training = spec.model.config.parameters(), spec.training.model_dump(exclude_none=True)
    development = spec.development.model_dump(exclude_none=True)
    return ForecastJob(
        run=run,
        environment=plan.environment.digest,
        model={
            "name": None if rehearsal else _start(spec, plan.workspace),
            "revision": spec.model.revision,
            "config": scaled_config(config) if rehearsal else config,
        },
        series=series,
        window=WINDOW if rehearsal else spec.data.window,
        validation_share=spec.data.validation_share,
        training=scaled_training(training) if rehearsal else training,
        development=scaled_development() if rehearsal else development,
        masking=spec.masking.model_dump(),
        folder=output_folder(plan, run, work),
        work=work,
        seed=spec.seed,
        device="cpu" if rehearsal else spec.device,
        threads=1 if rehearsal else None,  # the other core is for the verification
    )


def batches(spec: Mapping[str, Json], rows: Mapping[str, int]) -> int | None:
    """Batches of one epoch of a resolved spec: by its limit, and by `rows` where these are known."""
    limit: int | None = spec["development"].get("limit_train_batches")
    if not rows:
        return limit
    window, share = spec["data"]["window"], spec["data"]["validation_share"]
    windows = sum(max(0, _learned(count, share) - window) for count in rows.values())
    there: int = ceil(windows / spec["training"]["batch_size"])
    return there if limit is None else min(limit, there)


def _learned(rows: int, share: float) -> int:
    """Rows of the training part, as the worker cuts them."""
    return rows - max(1, round(share * rows))


def _start(spec: ForecastingSpec, workspace: Workspace) -> str | None:
    name = spec.model.name
    folder = workspace.root / name if name else None
    return str(folder) if folder and folder.is_dir() else name


def _read(spec: ForecastingSpec, frame: str, name: str, path: Path) -> Sequence[float]:
    if not path.exists():
        raise LedgerError(
            f"{spec.name} reads {name} (data.series.{frame}), which is not there",
            hint=f"put it there, or name another with --set data.series.{frame}=PATH, "
            f"or try without data: ledger run {spec.name} --rehearse",
        )
    values = read_column(path, spec.data.column)
    if _learned(len(values), spec.data.validation_share) <= spec.data.window:
        raise LedgerError(
            f"{name} has {len(values):,} values: too few for windows of {spec.data.window} and a validation",
            hint="give a longer series, or a smaller data.window",
        )
    return values


def _digest(spec: ForecastingSpec, data: Mapping[str, Json]) -> str:
    texts = {role: facts["sha256"] for role, facts in data.items()}
    return digest_json({"spec": spec.digest, "data": texts})
