"""Runs in CSV, TSV, JSON lines and JSON: one run in each row, or one step in each row.

W&B's export of a table of runs is one of these. A column is the name, a state, a time, a step, a score or a
setting, by its heading and its values.
"""

import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from math import isfinite
from pathlib import Path
from typing import Any

from ledger.errors import LedgerError
from ledger.evidence.imported_claims import Claimed, ClaimedRun, Outcome, Point
from ledger.findings import Json
from ledger.importers.untrusted_files import Problems, foreign, model_in
from ledger.utils.json_values import to_metric

KIND = "table"
SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json")
MOST_BYTES = 256 * 1024 * 1024
MOST_PROBLEMS = 20
_NAMES = ("run", "run_name", "run name", "name", "experiment", "exp", "run_id", "run id", "id", "trial")
_STATES = ("status", "state", "outcome", "result_status")
_TIMES = ("created", "created_at", "date", "time", "timestamp", "started", "start_time")
_STEPS = ("step", "global_step", "_step", "steps", "iteration", "iter", "update", "num_updates", "epoch")
_SETTINGS = ("config", "params", "parameters", "hparams", "hyperparameters", "args", "settings")
_RESULTS = ("summary", "metrics", "results", "scores", "result")
OUTCOMES: dict[str, Outcome] = {
    **dict.fromkeys(("finished", "completed", "complete", "done", "success", "succeeded", "ok"), "completed"),
    **dict.fromkeys(("crashed", "failed", "failure", "killed", "error", "diverged"), "failed"),
    **dict.fromkeys(("running", "in progress", "preempting"), "running"),
    **dict.fromkeys(("planned", "pending", "queued", "todo"), "planned"),
    "skipped": "skipped",
}
# Headings of scores; any other column is a setting.
SCORE = re.compile(
    r"(?i)(?:^|[^a-z])(?:sacre)?bleu|chrf|comet|bleurt|meteor|rouge|(?:^|[^a-z])[wct]er(?![a-z])|loss|nll|ppl"
    r"|perplexity|acc(?:uracy)?(?![a-z])|(?:^|[^a-z])f1(?![a-z])|precision|recall|reward|exact_match"
    r"|^train/"
    r"|^(?:eval|val|valid|test|dev)[/_.](?!.*(?:batch|step|size|strategy|split|file|path|every|interval|delay"
    r"|samples|runtime|set$|data))"
)
Row = Mapping[str, Any]


def matches(path: Path) -> bool:
    """Whether this is a table with a column that names runs or steps."""
    if not (path.is_file() and path.suffix.lower() in SUFFIXES):
        return False
    rows, _ = _rows(path, Problems())
    return bool(rows) and bool(_key_of(rows, _NAMES) or _key_of(rows, _STEPS))


def read(path: Path) -> Claimed:
    """The runs of a table. Raises LedgerError if it has no rows, or neither names runs nor counts steps."""
    problems = Problems()
    rows, damage = _rows(path, problems)
    problems += damage[:MOST_PROBLEMS]
    if not rows:
        why = problems[0] if problems else "it has no rows"
        raise LedgerError(f"nothing in {path} can be read: {why}", hint="give its kind with --as")
    name, step = _key_of(rows, _NAMES), _key_of(rows, _STEPS)
    named = [str(row.get(name)) for row in rows] if name else []
    if step and len({*named}) < len(rows):
        runs = _series_runs(rows, name, step, path)
    elif name:
        runs = [
            _run(row, name, number) for number, row in enumerate(rows, 1) if row.get(name) not in (None, "")
        ]
    else:
        raise foreign(path, "a table with a column that names runs (run, name, experiment) or counts steps")
    return Claimed(KIND, tuple(runs), (path,), tuple(problems))


def _run(row: Row, name: str, number: int) -> ClaimedRun:
    title = str(row[name]).strip()
    params, metrics = _split({key: value for key, value in row.items() if key != name})
    state, time = (_key_of([row], keys) for keys in (_STATES, _TIMES))
    return ClaimedRun(
        experiment=title,
        key=title,
        outcome=OUTCOMES.get(str(row.get(state, "")).strip().lower()) if state else None,
        model=model_in(params),
        params={key: value for key, value in params.items() if key not in (state, time)},
        metrics=metrics,
        facts={"time": row[time]} if time and row[time] else {},
        where=f"row {number}",
    )


def _series_runs(rows: Sequence[Row], name: str | None, step: str, path: Path) -> list[ClaimedRun]:
    """Runs whose rows are steps: one run of the file's name, or one for each name in the column."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(str(row.get(name)).strip() if name else path.stem, []).append(row)
    return [_series_run(title, group, {name, step}) for title, group in groups.items()]


def _series_run(title: str, rows: Sequence[Row], keys: set[str | None]) -> ClaimedRun:
    (step,) = (key for key in keys if key and key.lower() in _STEPS)
    series: dict[str, list[Point]] = {}
    constant: dict[str, Json] = {}
    for row in rows:
        at = cell(row.get(step))
        for key, value in flat(row).items():
            number = to_metric(cell(value))
            if key in keys or number is None:
                constant.update({} if key in keys or value in (None, "") else {key: cell(value)})
            elif isinstance(at, int | float) and isfinite(at):
                series.setdefault(key, []).append(Point(int(at), number))
    return ClaimedRun(
        experiment=title,
        key=title,
        model=model_in(constant),
        params=constant,
        metrics={key: points[-1].value for key, points in series.items()},
        series=series,
        facts={"steps": max((points[-1].step for points in series.values()), default=0)},
        where=title,
    )


def _split(row: Row) -> tuple[dict[str, Json], dict[str, float]]:
    """Settings and scores, by the part of a JSON document that they are in, else by their headings."""
    params: dict[str, Json] = {}
    metrics: dict[str, float] = {}
    for key, value in row.items():
        section = key.lower()
        for name, one in flat({key: value}).items():
            bare = (
                name.partition(".")[2]
                if isinstance(value, dict) and section in (*_SETTINGS, *_RESULTS)
                else name
            )
            number = to_metric(cell(one))
            is_score = section in _RESULTS or (section not in _SETTINGS and SCORE.search(bare))
            if is_score and number is not None:
                metrics[bare] = number
            elif one not in (None, ""):
                params[bare] = cell(one)
    return params, metrics


def flat(row: Row, prefix: str = "") -> dict[str, Any]:
    """Nested mappings as dotted names."""
    found: dict[str, Any] = {}
    for key, value in row.items():
        name = f"{prefix}{key}"
        found |= flat(value, f"{name}.") if isinstance(value, dict) and name.count(".") < 8 else {name: value}
    return found


def cell(value: Any) -> Any:
    """A cell's text as a number or a boolean where it is one; NaN and infinity stay numbers."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if re.fullmatch(r"[-+]?\d+", text) and len(text) < 16 and not re.match(r"[-+]?0\d", text):
        return int(text)
    if re.fullmatch(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf(?:inity)?)", text, re.I):
        return float(text)
    return text


def _key_of(rows: Iterable[Row], names: Sequence[str]) -> str | None:
    """The column with one of these headings, the first name first."""
    by_name = {str(key).strip().lower(): key for row in rows for key in row}
    return next((by_name[name] for name in names if name in by_name), None)


def _rows(path: Path, problems: Problems) -> tuple[list[Row], list[str]]:
    """The rows of a file, and sentences on lines that cannot be read."""
    suffix = path.suffix.lower()
    text = problems.read(path, lambda data: data.decode("utf-8-sig"), MOST_BYTES)
    if text is None:
        return [], []
    if suffix in (".csv", ".tsv"):
        return _cells(text, "\t" if suffix == ".tsv" else None)
    if suffix == ".json":
        return _documents(text)
    rows: list[Row] = []
    damage: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            content = json.loads(line) if line.strip() else None
        except (ValueError, RecursionError):
            content = line
        if isinstance(content, dict):
            rows.append(content)
        elif content is not None:
            damage.append(f"line {number:,} is not a JSON object")
    return rows, damage


def _documents(text: str) -> tuple[list[Row], list[str]]:
    """A list of objects, or one object whose members are the rows of named runs."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return [], ["it is not JSON"]
    if isinstance(content, list):
        return [row for row in content if isinstance(row, dict)], []
    return [], []


def _cells(text: str, separator: str | None) -> tuple[list[Row], list[str]]:
    """The rows of a table whose first line has the headings; the separator is the one in that line."""
    head = text.partition("\n")[0]
    separator = separator or max(",;\t", key=head.count)
    try:
        rows = list(csv.DictReader(StringIO(text.replace("\0", ""), newline=""), delimiter=separator))
    except csv.Error as error:
        return [], [str(error)]
    damage = [
        f"row {n:,} is incomplete" for n, row in enumerate(rows, 1) if None in row or None in row.values()
    ]
    whole: list[Row] = [row for row in rows if None not in row]
    return whole, damage
