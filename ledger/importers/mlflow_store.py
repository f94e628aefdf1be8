"""MLflow's two local stores, `mlruns/` and SQLite databases, read with MLflow's own client from a copy."""

import json
import math
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from ledger.errors import LedgerError
from ledger.evidence.imported_claims import Claimed, ClaimedRun, Outcome, Point
from ledger.findings import Json
from ledger.importers.mlflow_dump import NEWER
from ledger.importers.untrusted_files import Problems, foreign, is_sqlite, model_in, parse_yaml
from ledger.utils import own_packages
from ledger.utils.json_values import to_number
from ledger.utils.times import iso_utc

KIND = "mlflow"
READ_SECONDS = 300
LARGEST = 1.797e308  # what MLflow writes for infinity
_OUTCOMES: dict[str, Outcome] = {
    "FINISHED": "completed",
    "FAILED": "failed",
    "KILLED": "failed",
    "RUNNING": "running",
    "SCHEDULED": "planned",
}
# Tags with the origin of a run; the others are set by the user or internal to MLflow.
_TAGS = {"mlflow.source.name": "program", "mlflow.source.git.commit": "commit", "mlflow.user": "user"}


def matches(path: Path) -> bool:
    """Whether this is a SQLite database with MLflow's tables, or a folder with its experiments."""
    return _is_database(path) or _is_file_store(path)


def read(path: Path) -> Claimed:
    """All active runs in the store. Raises LedgerError if it is not a store, or MLflow cannot open it."""
    if not matches(path):
        raise foreign(path, "an MLflow store")
    problems: list[str] = []
    with TemporaryDirectory(prefix="ledger-import-") as folder:
        rows = _dump(_copy(path, Path(folder), problems), path)
    problems += [f"run {row['run_id']}: {row['unread']}" for row in rows if "unread" in row]
    rows = [row for row in rows if "unread" not in row]
    problems += [f"run {row['run_id']}: {one}" for row in rows for one in row["problems"]]
    if not rows and problems:
        raise LedgerError(f"nothing in {path} can be read: {problems[0]}", hint="is the copy complete?")
    files = (path,) if path.is_file() else tuple(sorted(_files(path)))
    return Claimed(KIND, tuple(map(_run, rows)), files, tuple(problems))


def _files(path: Path) -> Iterator[Path]:
    """The files of a file store without artifacts and trash."""
    for folder, names, files in os.walk(path):
        names[:] = [name for name in names if name not in ("artifacts", ".trash")]
        yield from (Path(folder, name) for name in files)


def _is_database(path: Path) -> bool:
    if not is_sqlite(path):
        return False
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    except sqlite3.Error:
        return True  # damaged: reported when it is read
    return {"experiments", "runs"} <= tables


def _is_file_store(path: Path) -> bool:
    return path.is_dir() and any(_is_experiment(folder) for folder in path.glob("*/meta.yaml"))


def _is_experiment(meta: Path) -> bool:
    content = Problems().mapping(meta, parse_yaml)
    return "experiment_id" in content and "lifecycle_stage" in content


def _copy(path: Path, folder: Path, problems: list[str]) -> str:
    """Copy the store, because reading changes it (schema, trash folder); return the URI of the copy."""
    if path.is_dir():
        copy = folder / "mlruns"
        shutil.copytree(path, copy, ignore=shutil.ignore_patterns("artifacts"), symlinks=True)
        for meta in copy.glob("*/*/meta.yaml"):
            (meta.parent / "artifacts").mkdir()  # MLflow requires it in the folder of a run
        for series in copy.glob("*/*/metrics/**/*"):
            if series.is_file() and _drop_torn_line(series):
                run = series.relative_to(copy).parts[1]
                problems.append(f"run {run}: {series.name} ends in an incomplete line")
        return copy.as_uri()
    try:
        with (
            closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(folder / "mlflow.db")) as target,
        ):
            source.backup(target)
    except sqlite3.Error as error:
        raise LedgerError(
            f"{path} is a damaged database: {error}", hint="copy it again from its origin"
        ) from error
    return f"sqlite:///{folder / 'mlflow.db'}"


def _drop_torn_line(series: Path) -> bool:
    """Remove a last line with fewer fields than the first, as a killed process leaves it."""
    lines = series.read_bytes().splitlines(keepends=True)
    if len(lines) < 2 or len(lines[-1].split()) >= len(lines[0].split()):
        return False
    series.write_bytes(b"".join(lines[:-1]))
    return True


def _dump(uri: str, path: Path) -> list[dict[str, Json]]:
    command = [*own_packages.command("ledger.importers.mlflow_dump"), uri]
    environment = {**os.environ, "MLFLOW_ALLOW_FILE_STORE": "true", "MLFLOW_TRACKING_URI": uri}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=READ_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise LedgerError(
            f"MLflow did not finish reading {path} within {READ_SECONDS} s", hint="import a part of it"
        ) from error
    errors = done.stderr.strip().splitlines()
    if done.returncode and errors and errors[-1].startswith(NEWER):
        raise LedgerError(
            f"{path} was written by a newer MLflow than the installed {version('mlflow')}, "
            f"which does not know its schema {errors[-1].removeprefix(NEWER)}",
            hint="upgrade it: pip install --upgrade mlflow; or import where the database was written",
        )
    if done.returncode:
        raise LedgerError(
            f"MLflow cannot open {path}: {errors[-1][:200] if errors else done.returncode}",
            hint="try to open it with: mlflow ui --backend-store-uri …",
        )
    return [json.loads(line) for line in done.stdout.splitlines()]


def _metric(value: Json) -> float | None:
    """A metric's value. MLflow's database has no infinity: it stores the largest numbers there are."""
    number = to_number(value)
    return math.copysign(math.inf, number) if number is not None and abs(number) >= LARGEST else number


def _run(row: Mapping[str, Json]) -> ClaimedRun:
    params = {key: _plain(value) for key, value in row["params"].items()}
    seconds = (row["end_ms"] - row["start_ms"]) / 1000 if row["end_ms"] and row["start_ms"] else None
    tags = {name: row["tags"][tag] for tag, name in _TAGS.items() if row["tags"].get(tag)}
    return ClaimedRun(
        experiment=row["experiment"] if row["experiment"] != "Default" else row["name"] or row["run_id"],
        key=row["run_id"],
        title=row["name"] or "",
        outcome=_OUTCOMES.get(row["status"]),
        model=model_in(params),
        params=params,
        metrics={
            name: number for name, value in row["metrics"].items() if (number := _metric(value)) is not None
        },
        series={
            name: [Point(step, number) for step, value in points if (number := _metric(value)) is not None]
            for name, points in row["series"].items()
        },
        facts={
            "id": row["run_id"],
            "name": row["name"],
            "time": _time(row["start_ms"]),
            "seconds": seconds,
            **tags,
            "tags": {key: value for key, value in row["tags"].items() if not key.startswith("mlflow.")},
        },
        where=row["run_id"],
    )


def _plain(text: str) -> Json:
    """Convert a param, which MLflow stores as text, to a number or boolean where possible."""
    constants = {"True": True, "False": False, "None": None}
    if text in constants:
        return constants[text]
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, int | float | bool) else text


def _time(milliseconds: int | None) -> str | None:
    if not milliseconds:
        return None
    return iso_utc(datetime.fromtimestamp(milliseconds / 1000, UTC), "seconds")
