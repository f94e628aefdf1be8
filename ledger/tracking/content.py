"""What MLflow is sent for each journal entry of a run. Pure."""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ledger.findings import Json, steps_of
from ledger.journal.runs import IMPORTED
from ledger.journal.store import Entry
from ledger.tracking.series import MetricPoint

STARTED, FINISHED = "run.started", "run.finished"
FINDING_COLUMNS = ("code", "severity", "message", "measured", "threshold", "accepted")


@dataclass(frozen=True, slots=True)
class Dataset:
    """An input file. `digests` maps an algorithm to hex digits; `role` is source, reference, training…"""

    name: str
    path: str
    digests: dict[str, str]
    role: str


@dataclass(frozen=True, slots=True)
class TrackedFile:
    """A file to store with the run; it is sent only if it still has this SHA-256."""

    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class TrackedTable:
    """A table to read in MLflow: samples, findings. `name` has no extension."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Json, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryContent:
    """What MLflow is sent for one entry. `time` is in milliseconds since 1970, as all times here.

    `starts` says whether the run was started or resumed by it; `status`, how it ended: `finished`, `failed`
    or None. `params` are settings by dotted name: MLflow never changes the first value of a name.
    """

    experiment: str
    mode: str
    time: int
    starts: bool
    status: str | None
    tags: dict[str, str]
    params: dict[str, str] = field(default_factory=dict)
    metrics: tuple[MetricPoint, ...] = ()
    datasets: tuple[Dataset, ...] = ()
    files: tuple[TrackedFile, ...] = ()
    tables: tuple[TrackedTable, ...] = ()

    @property
    def count(self) -> int:
        """How many events it is made of, the unit in which progress is shown."""
        single = [self.starts, self.params, self.status]
        return sum(map(bool, single)) + sum(map(len, (self.metrics, self.datasets, self.files, self.tables)))


def content_of(entry: Entry, root: Path, samples: TrackedTable | None = None) -> EntryContent:
    """What MLflow is sent for an entry that starts, ends or imports a run. Its body may lack any key.

    `root` is the repository that the entry's paths are relative to; `samples` are sent when the run ended.
    """
    values: Mapping[str, Json] = {}
    files: list[TrackedFile] = []
    tables: list[TrackedTable] = []
    body, now = entry.body, round(datetime.fromisoformat(entry.time).timestamp() * 1000)
    if entry.kind == STARTED:
        patch = (body.get("git") or {}).get("patch")
        tags, params = _start_tags(body, entry.id), _start_params(body)
        files, status = _files(patch, root), None
    elif entry.kind == IMPORTED:
        claims = body.get("claims") or {}
        tags, params = _import_tags(body, entry.id), flatten(claims.get("params") or {})
        series = claims.get("series") or {}
        values = {name: value for name, value in (claims.get("metrics") or {}).items() if name not in series}
        tables, status = _findings(body), "finished"
    else:
        tags, params = _finish_tags(body, entry.id), flatten(body.get("effective") or {}, "effective")
        values, files = _measured(body), _files(body.get("output"), root)
        tables = [*([samples] if samples else []), *_findings(body)]
        status = "finished" if body.get("status") == "finished" else "failed"
    return EntryContent(
        experiment=str(body.get("experiment", "")),
        mode=str(body.get("mode", "real")),
        time=now,
        starts=entry.kind != FINISHED,
        status=status,
        tags=tags,
        params=params,
        metrics=(
            *(MetricPoint(name, float(v), now) for name, v in values.items() if _is_number(v)),
            *_marks(body, now),
        ),
        datasets=_datasets(body),
        files=tuple(files),
        tables=tuple(tables),
    )


def flatten(value: Mapping[str, Json], prefix: str = "") -> dict[str, str]:
    """Nested settings by dotted name. Text stays as it is, everything else is written as JSON."""
    flat: dict[str, str] = {}
    for key, item in value.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        if isinstance(item, Mapping) and item:
            flat.update(flatten(item, name))
        else:
            flat[name] = item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)
    return flat


def _start_params(body: Mapping[str, Json]) -> dict[str, str]:
    command = {"command": shlex.join(body["command"])} if body.get("command") else {}
    return {**flatten(body.get("spec") or {}), **command}


def _datasets(body: Mapping[str, Json]) -> tuple[Dataset, ...]:
    return tuple(
        Dataset(
            name=Path(data["path"]).name,
            path=data["path"],
            digests={name: data[name] for name in ("md5", "sha256") if data.get(name)},
            role=role,
        )
        for role, data in (body.get("data") or {}).items()
        if data
    )


def _files(facts: Json, root: Path) -> list[TrackedFile]:
    """A recorded file; none where the record names a folder, which has no digest."""
    if not facts or not facts.get("sha256"):
        return []
    return [TrackedFile(root / facts["path"], facts["sha256"].rpartition(":")[2])]


def _findings(body: Mapping[str, Json]) -> list[TrackedTable]:
    rows = tuple(tuple(finding.get(column) for column in FINDING_COLUMNS) for finding in _found(body))
    return [TrackedTable("findings", FINDING_COLUMNS, rows)] if rows else []


def _found(body: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    return (body.get("report") or {}).get("findings") or []


def _marks(body: Mapping[str, Json], now: int) -> Iterator[MetricPoint]:
    """What each finding measured, at the steps of a training at which it shows; else at step 0.

    A finding that names a step and measured no number is a 1.
    """
    points: dict[tuple[str, int], MetricPoint] = {}
    for finding in _found(body):
        name, measured = f"guard.{finding['code']}", finding.get("measured")
        steps = steps_of(finding["code"], finding.get("evidence") or {})
        if _is_number(measured):
            value, steps = float(measured or 0.0), steps or (0,)
        else:
            value = 1.0
        for step in steps:
            points[name, step] = MetricPoint(name, value, now, step)
    yield from points.values()


def _finding_tags(body: Mapping[str, Json]) -> dict[str, str | None]:
    """All codes, and for each code that names steps its messages, to find the marks of a curve by."""
    marks: dict[str, list[str]] = {}
    for finding in _found(body):
        if steps := steps_of(finding["code"], finding.get("evidence") or {}):
            at = ", ".join(f"{step:,}" for step in steps)
            text = f"step {at}: {finding.get('severity', '')}: {finding.get('message', '')}"
            marks.setdefault(f"ledger.guard.{finding['code']}", []).append(text)
    codes = " ".join(sorted({finding["code"] for finding in _found(body)})) or None
    return {"ledger.findings": codes, **{name: "\n".join(texts) for name, texts in marks.items()}}


def _import_tags(body: Mapping[str, Json], entry: str) -> dict[str, str]:
    return _tags(
        {
            "ledger.run": body["run"],
            "ledger.entry": entry,
            "ledger.entry.started": entry,
            "ledger.mode": body.get("mode"),
            "ledger.rehearsal": "false",
            "ledger.source": (body.get("source") or {}).get("path"),
            **_finding_tags(body),
        }
    )


def _start_tags(body: Mapping[str, Json], entry: str) -> dict[str, str]:
    git = body.get("git") or {}
    mode = str(body.get("mode", "real"))
    return _tags(
        {
            "ledger.run": body["run"],
            "ledger.entry": entry,
            "ledger.entry.started": entry,
            "ledger.mode": mode,
            "ledger.rehearsal": "true" if mode == "rehearsal" else "false",
            "ledger.inputs": body.get("inputs"),
            "ledger.spec": body.get("spec_digest"),
            "ledger.environment": body.get("environment"),
            "ledger.machine": body.get("machine"),
            "ledger.git_commit": git.get("commit"),
            "ledger.git_branch": git.get("branch"),
            "ledger.git_dirty": ("true" if git.get("changed") else "false") if git else None,
            "mlflow.source.name": "ledger",
            "mlflow.source.type": "LOCAL",
            "mlflow.source.git.commit": git.get("commit"),
        }
    )


def _finish_tags(body: Mapping[str, Json], entry: str) -> dict[str, str]:
    output = body.get("output") or {}
    signatures = {
        f"ledger.signature.{name}": metric.get("signature")
        for name, metric in (body.get("metrics") or {}).items()
    }
    return _tags(
        {
            "ledger.entry": entry,
            "ledger.verdict": body.get("verdict"),
            **_finding_tags(body),
            "ledger.output.md5": output.get("md5"),
            "ledger.output.sha256": output.get("sha256"),
            "ledger.exit_code": body.get("exit_code"),
            "ledger.error": body.get("error"),
            **signatures,
        }
    )


def _measured(body: Mapping[str, Json]) -> dict[str, Json]:
    """The scores, the seconds and the number of output lines."""
    return {
        **{name: metric.get("value") for name, metric in (body.get("metrics") or {}).items()},
        "seconds": body.get("seconds"),
        "output_lines": (body.get("output") or {}).get("lines"),
    }


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _tags(values: Mapping[str, Json]) -> dict[str, str]:
    return {key: str(value) for key, value in values.items() if value is not None}
