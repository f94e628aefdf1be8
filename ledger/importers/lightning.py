"""Folders of Lightning's CSVLogger and TensorBoardLogger: hparams.yaml and the sparse metrics.csv."""

import csv
from io import StringIO
from pathlib import Path

from ledger.errors import LedgerError
from ledger.evidence.imported_claims import Claimed, ClaimedRun, Point
from ledger.findings import Json
from ledger.importers.untrusted_files import Problems, finite, foreign, model_in, parse_yaml

KIND = "lightning"
METRICS, HPARAMS = "metrics.csv", "hparams.yaml"
_OWN_COLUMNS = {"step", "epoch", "created_at"}
Rows = list[dict[str, str]]


def matches(path: Path) -> bool:
    """Whether the folder, or one up to two levels down (name/version_0), holds Lightning's files."""
    return path.is_dir() and bool(_folders(path))


def read(path: Path) -> Claimed:
    """One run per version folder. Raises LedgerError where there is none, or nothing can be read."""
    folders = _folders(path) if path.is_dir() else []
    if not folders:
        raise foreign(path, "folder of a Lightning logger")
    problems = Problems()
    runs = [run for folder in folders if (run := _read_run(folder, problems))]
    if not runs:
        raise LedgerError(
            f"nothing in {path} could be read: {problems[0] if problems else 'its files are empty'}",
            hint="was the folder copied in full?",
        )
    return Claimed(KIND, tuple(runs), tuple(problems.files), tuple(problems))


def parse_metrics(data: bytes) -> tuple[dict[str, list[Point]], list[str]]:
    """The series of a metrics.csv, by column, and what could not be read. Empty cells are no points.

    A column `step` gives the step; a row that lacks one, as after a cut, is told and left out.
    """
    text = data.decode("utf-8", "replace").replace("\0", "")
    series: dict[str, list[Point]] = {}
    problems: list[str] = []
    try:
        for number, row in enumerate(csv.DictReader(StringIO(text, newline="")), 2):
            step = _number(row.get("step") or "")
            if step is None or None in row or None in row.values():
                problems.append(f"line {number:,} is incomplete")
                continue
            for name, cell in row.items():
                value = _number(cell)
                if value is not None and name not in _OWN_COLUMNS:
                    series.setdefault(name, []).append(Point(int(step), value))
    except csv.Error as error:
        problems.append(f"not readable further on: {error}")
    return series, problems


def _folders(path: Path) -> list[Path]:
    files = (
        file for name in (METRICS, HPARAMS) for up in ("", "*/", "*/*/") for file in path.glob(up + name)
    )
    return sorted({file.parent for file in files if file.is_file()})


def _read_run(folder: Path, problems: Problems) -> ClaimedRun | None:
    params = problems.mapping(folder / HPARAMS, parse_yaml)
    read = problems.read(folder / METRICS, parse_metrics)
    series, damage = read or ({}, [])
    problems += [f"{folder.name}/{METRICS}: {one}" for one in damage[:5]]
    if len(damage) > 5:
        problems.append(f"{folder.name}/{METRICS}: {len(damage) - 5:,} more lines are incomplete")
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
    """`lightning_logs/version_3` is called by both; a name that somebody chose stands alone."""
    inside = folder.absolute()
    generic = inside.name.startswith("version_")
    above = inside.parent.name
    chosen = above if generic and above != "lightning_logs" else inside.parent.parent.name
    return f"{chosen}-{inside.name}" if generic and chosen else inside.name


def _number(cell: str) -> float | None:
    try:
        return finite(float(cell))
    except (TypeError, ValueError):
        return None
