"""Trackio's SQLite database of a project: the runs with their configurations and logged values."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from ledger.errors import LedgerError
from ledger.evidence.imported_claims import Claimed, ClaimedRun, Point
from ledger.findings import Json
from ledger.importers.untrusted_files import foreign, is_sqlite, model_in
from ledger.utils.json_values import to_metric

KIND = "trackio"


def matches(path: Path) -> bool:
    """Whether this is a SQLite database with Trackio's table of metrics."""
    if not is_sqlite(path):
        return False
    try:
        with closing(_open(path)) as connection:
            return {"run_name", "step", "metrics"} <= _columns(connection, "metrics")
    except sqlite3.Error:
        return False


def read(path: Path) -> Claimed:
    """The runs of a project. Raises LedgerError if it is no such database, or damaged."""
    if not matches(path):
        raise foreign(path, "a database of Trackio")
    problems: list[str] = []
    try:
        with closing(_open(path)) as connection:
            configs = {
                key: (name, one) for key, name, one in _rows(connection, "configs", "config", problems)
            }
            logged: dict[str, list[tuple[str, int, dict[str, Json]]]] = {}
            for key, name, values, step in _rows(connection, "metrics", "metrics", problems, "step"):
                logged.setdefault(key, []).append((name, step, values))
    except sqlite3.Error as error:
        raise LedgerError(
            f"{path} is a damaged database: {error}", hint="copy it again from its origin"
        ) from error
    keys = list(dict.fromkeys((*logged, *configs)))
    runs = tuple(_run(key, logged.get(key, []), configs.get(key)) for key in keys)
    if not runs:
        raise LedgerError(f"{path} has no runs", hint="name the database of another project")
    return Claimed(KIND, runs, (path,), tuple(problems))


def _run(
    key: str, logged: list[tuple[str, int, dict[str, Json]]], config: tuple[str, dict[str, Json]] | None
) -> ClaimedRun:
    name = logged[-1][0] if logged else config[0] if config else key
    given = config[1] if config else {}
    series: dict[str, list[Point]] = {}
    for _, step, values in sorted(logged, key=lambda one: one[1]):
        for metric, value in values.items():
            if (number := to_metric(value)) is not None:
                series.setdefault(metric, []).append(Point(step, number))
    params = {one: value for one, value in given.items() if not one.startswith("_")}
    return ClaimedRun(
        experiment=name,
        key=key,
        model=model_in(params),
        params=params,
        metrics={metric: points[-1].value for metric, points in series.items()},
        series=series,
        facts={"time": given["_Created"]} if given.get("_Created") else {},
        where=name,
    )


def _rows(
    connection: sqlite3.Connection, table: str, column: str, problems: list[str], *more: str
) -> Iterator[tuple]:  # type: ignore[type-arg]
    """Id, name, the parsed JSON of a column, and `more` of each row. Old releases know runs by name only."""
    columns = _columns(connection, table)
    if column not in columns:
        return
    key = "run_id" if "run_id" in columns else "run_name"
    chosen = ", ".join((key, "run_name", column, *more))
    for number, (run, name, text, *rest) in enumerate(connection.execute(f"SELECT {chosen} FROM {table}"), 1):
        try:
            content = json.loads(text)
        except (ValueError, TypeError, RecursionError):
            content = None
        if isinstance(content, dict) and all(isinstance(one, int) for one in rest):
            yield (str(run), str(name), content, *rest)
        else:
            problems.append(f"row {number:,} of {table} is not readable")


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")}


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
