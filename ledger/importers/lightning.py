"""Folders of Lightning's CSVLogger and TensorBoardLogger: hparams.yaml and metrics.csv."""

import csv
from io import StringIO
from math import isfinite
from pathlib import Path

from ledger.errors import LedgerError
from ledger.evidence.imported_claims import Claimed, ClaimedRun, Point
from ledger.findings import Json
from ledger.importers.untrusted_files import Problems, foreign, model_in, parse_yaml
from ledger.utils.plural import count

KIND = "lightning"
METRICS, HPARAMS = "metrics.csv", "hparams.yaml"
_OWN_COLUMNS = {"step", "epoch", "created_at"}
Rows = list[dict[str, str]]


def matches(path: Path) -> bool:
    """Whether the folder, or one up to two levels down (name/version_0), holds Lightning's files."""
    return path.is_dir() and bool(_folders(path))


def read(path: Path) -> Claimed:
    """One run for each version folder. Raises LedgerError if there is none, or nothing can be read."""
    folders = _folders(path) if path.is_dir() else []
    if not folders:
        raise foreign(path, "a folder of a Lightning logger")
    problems = Problems()
    runs = [run for folder in folders if (run := _read_run(folder, problems))]
    if not runs:
        raise LedgerError(
            f"nothing in {path} can be read: {problems[0] if problems else 'its files are empty'}",
            hint="is the copy of the folder complete?",
        )
    return Claimed(KIND, tuple(runs), tuple(problems.files), tuple(problems))


def parse_metrics(data: bytes) -> tuple[dict[str, list[Point]], list[str]]:
    """The series of a metrics.csv by column, without empty cells, and the problems.

    The column `step` gives the step; rows without one, as in a truncated file, are reported and left out.
    """
    text = data.decode("utf-8", "replace").replace("\0", "")
    series: dict[str, list[Point]] = {}
    problems: list[str] = []
    try:
        for number, row in enumerate(csv.DictReader(StringIO(text, newline="")), 2):
            step = _number(row.get("step") or "")
            if step is None or not isfinite(step) or None in row or None in row.values():
                problems.append(f"line {number:,} is incomplete")
                continue
            for name, cell in row.items():
                value = _number(cell)
                if value is not None and name not in _OWN_COLUMNS:
                    series.setdefault(name, []).append(Point(int(step), value))
    except csv.Error as error:
        problems.append(f"the rest cannot be read: {error}")
    return series, problems


def _folders(path: Path) -> list[Path]:
    files = (
        file for name in (METRICS, HPARAMS) for up in ("", "*/", "*/*/") for file in path.glob(up + name)
    )
    return sorted({file.parent for file in files if file.is_file()})


def _read_run(folder: Path, problems: Problems) -> ClaimedRun | None:
    params = problems.mapping(folder / HPARAMS, parse_yaml)
    series, damage = problems.read(folder / METRICS, parse_metrics) or ({}, [])
    problems += [f"{folder.name}/{METRICS}: {one}" for one in damage[:5]]
    if len(damage) > 5:
        more = count(len(damage) - 5, "more line is", "more lines are")
        problems.append(f"{folder.name}/{METRICS}: {more} incomplete")
    if not params and not series:
        return None
    return ClaimedRun(
        experiment=_name(folder),
        key=_name(folder),
        model=model_in(params),
        params=params,
        metrics={name: points[-1].value for name, points in series.items()},
        series=series,
        facts=_facts(series),
        where=folder.name,
    )


def _facts(series: dict[str, list[Point]]) -> dict[str, Json]:
    steps = [points[-1].step for points in series.values()]
    return {"steps": max(steps)} if steps else {}


def _name(folder: Path) -> str:
    """The folder's name; `version_3` is preceded by the name of the logger or of the project."""
    inside = folder.absolute()
    generic = inside.name.startswith("version_")
    above = inside.parent.name
    chosen = above if generic and above != "lightning_logs" else inside.parent.parent.name
    return f"{chosen}-{inside.name}" if generic and chosen else inside.name


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except (TypeError, ValueError):
        return None
