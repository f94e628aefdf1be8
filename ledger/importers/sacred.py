"""Runs of Sacred's FileStorageObserver: folders with run.json, config.json and metrics.json."""

from pathlib import Path

from ledger.errors import LedgerError
from ledger.evidence.imported_claims import Claimed, ClaimedRun, Outcome, Point
from ledger.findings import Json
from ledger.importers.untrusted_files import Problems, foreign, model_in, parse_json
from ledger.utils.json_values import to_metric

KIND = "sacred"
_OUTCOMES: dict[str, Outcome] = {
    "COMPLETED": "completed",
    "FAILED": "failed",
    "INTERRUPTED": "failed",
    "TIMEOUT": "failed",
    "RUNNING": "running",
    "QUEUED": "planned",
}


def matches(path: Path) -> bool:
    """Whether the folder is a run, or holds some."""
    return path.is_dir() and bool(_folders(path))


def read(path: Path) -> Claimed:
    """One run for each folder. Raises LedgerError if nothing can be read."""
    folders = _folders(path) if path.is_dir() else []
    if not folders:
        raise foreign(path, "a run of Sacred, or a folder with some")
    problems = Problems()
    runs = [run for folder in folders if (run := _run(folder, problems))]
    if not runs:
        raise LedgerError(f"nothing in {path} can be read: {problems[0]}", hint="is the copy complete?")
    return Claimed(KIND, tuple(runs), tuple(problems.files), tuple(problems))


def _folders(path: Path) -> list[Path]:
    found = (file.parent for pattern in ("run.json", "*/run.json") for file in path.glob(pattern))
    return sorted(folder for folder in found if (folder / "config.json").is_file())


def _run(folder: Path, problems: Problems) -> ClaimedRun | None:
    head = problems.mapping(folder / "run.json", parse_json)
    params = problems.mapping(folder / "config.json", parse_json)
    if not head and not params:
        return None
    series = _series(problems.mapping(folder / "metrics.json", parse_json))
    experiment = head.get("experiment")
    name = experiment.get("name") if isinstance(experiment, dict) else None
    number = folder.absolute().name
    result = to_metric(head.get("result"))
    facts = {"time": head.get("start_time"), "stopped": head.get("stop_time")}
    facts["host"] = _host(head.get("host"))
    return ClaimedRun(
        experiment=f"{name}-{number}" if name else number,
        key=f"{name}-{number}" if name else number,
        outcome=_OUTCOMES.get(str(head.get("status"))),
        model=model_in(params),
        params=params,
        metrics={
            **{metric: points[-1].value for metric, points in series.items()},
            **({} if result is None else {"result": result}),
        },
        series=series,
        facts={key: value for key, value in facts.items() if value},
        where=number,
    )


def _series(metrics: dict[str, Json]) -> dict[str, list[Point]]:
    series: dict[str, list[Point]] = {}
    for name, one in metrics.items():
        steps, values = (one.get(key) if isinstance(one, dict) else None for key in ("steps", "values"))
        for step, value in zip(steps or (), values or (), strict=False):
            number = to_metric(value)
            if number is not None and isinstance(step, int):
                series.setdefault(name, []).append(Point(step, number))
    return series


def _host(host: Json) -> Json:
    return host.get("hostname") if isinstance(host, dict) else None
