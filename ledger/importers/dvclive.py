"""DVC's files of one run: params.yaml, dvclive/metrics.json and the series in dvclive/plots/metrics."""

import csv
from io import StringIO
from pathlib import Path

from ledger.errors import LedgerError
from ledger.evidence.imported_claims import Claimed, ClaimedRun, Point
from ledger.findings import Json
from ledger.importers.tables import cell, flat
from ledger.importers.untrusted_files import Problems, foreign, model_in, parse_json, parse_yaml
from ledger.utils.json_values import to_metric

KIND = "dvc"
METRICS = "metrics.json"
PLOTS = "plots/metrics"


def matches(path: Path) -> bool:
    """Whether the folder is DVCLive's, or holds `dvclive/` or a params.yaml with a dvc.yaml."""
    return _live(path) is not None or ((path / "params.yaml").is_file() and (path / "dvc.yaml").is_file())


def read(path: Path) -> Claimed:
    """The run in the folder. Raises LedgerError if nothing can be read."""
    if not path.is_dir() or not matches(path):
        raise foreign(path, "a folder of DVC")
    problems = Problems()
    live = _live(path) or path / "dvclive"
    top = live.parent if live.absolute().name == "dvclive" else live
    stated = [problems.mapping(folder / "params.yaml", parse_yaml) for folder in dict.fromkeys((top, live))]
    params = flat({key: value for one in stated for key, value in one.items()})
    series = {
        name: points
        for file in sorted((live / PLOTS).rglob("*.tsv"))
        if (points := problems.read(file, _points))
        for name in [file.relative_to(live / PLOTS).with_suffix("").as_posix()]
    }
    last = flat(problems.mapping(live / METRICS, parse_json))
    metrics = {name: number for name, one in last.items() if (number := to_metric(one)) is not None}
    if not (params or metrics or series):
        why = problems[0] if problems else "its files are empty"
        raise LedgerError(f"nothing in {path} can be read: {why}", hint="is the copy complete?")
    step = metrics.pop("step", None)
    facts: dict[str, Json] = {} if step is None else {"steps": int(step)}
    name = top.absolute().name
    run = ClaimedRun(
        experiment=name,
        key=name,
        model=model_in(params),
        params=params,
        metrics={**{one: points[-1].value for one, points in series.items()}, **metrics},
        series=series,
        facts=facts,
        where=live.name,
    )
    return Claimed(KIND, (run,), tuple(problems.files), tuple(problems))


def _live(path: Path) -> Path | None:
    candidates = (path, path / "dvclive")
    return next((one for one in candidates if (one / METRICS).is_file() and (one / "plots").is_dir()), None)


def _points(data: bytes) -> list[Point]:
    """The points of a series: a column `step`, and one with the values."""
    found = []
    for row in csv.DictReader(StringIO(data.decode("utf-8")), delimiter="\t"):
        step = cell(row.pop("step", None))
        number = to_metric(cell(next(reversed(row.values()), None)))
        if isinstance(step, int) and number is not None:
            found.append(Point(step, number))
    return found
