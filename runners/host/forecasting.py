"""The job of a forecasting. What it reports on the way is in `runners.host.training`."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger.findings import Json
from runners.host.training import snapshots_in
from runners.host.worker_process import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastJob:
    """What to train, on what, and where its files go: `folder` and `work` are as TrainingJob has them.

    `series` has the file of each time frame, as `write_series` writes it. `model` holds `name`, `revision`
    and `config`; `training`, `development` and `masking` are the spec's. `threads` None: torch's own number.
    """

    run: str
    environment: str
    model: Mapping[str, Json]
    series: Mapping[str, Path]
    window: int
    validation_share: float
    training: Mapping[str, Json]
    development: Mapping[str, Json]
    masking: Mapping[str, Json]
    folder: Path
    work: Path
    seed: int = 0
    device: str = "auto"
    threads: int | None = None
    resume: Path | None = None

    @property
    def stop_file(self) -> Path:
        """While it is there, the training ends at its next step."""
        return self.work / "stop"

    @property
    def snapshots(self) -> Path:
        """Where each save is linked, so that the trainer's own deletions do not reach it."""
        return snapshots_in(self.work)

    def to_worker(self) -> Event:
        """The job as the worker is told."""
        return {
            "job": "forecast",
            "run": self.run,
            "environment": self.environment,
            "model": dict(self.model),
            "data": {
                "series": {frame: str(path.resolve()) for frame, path in self.series.items()},
                "window": self.window,
                "validation_share": self.validation_share,
            },
            "training": dict(self.training),
            "development": dict(self.development),
            "masking": dict(self.masking),
            "seed": self.seed,
            "device": self.device,
            "threads": self.threads,
            "folder": str(self.folder.resolve()),
            "snapshots": str(self.snapshots.resolve()),
            "stop": str(self.stop_file.resolve()),
            "progress": str((self.work / "progress.json").resolve()),
            "resume": str(self.resume.resolve()) if self.resume else None,
        }


def write_series(values: Sequence[float], path: Path) -> Path:
    """The values as the worker reads them: float64 in this machine's byte order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(array("d", values).tobytes())
    return path
