"""What a run says to MLflow: the events, and which of them a journal entry becomes. Pure but for `record_*`.

The spool holds these events and nothing else. Each is safe to apply twice.
"""

import json
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ledger.evidence.text import LineSample
from ledger.findings import Json

if TYPE_CHECKING:
    from ledger.tracking.spool import SpoolWriter

SAMPLE_COLUMNS = ("line", "source", "output")
FINDING_COLUMNS = ("code", "severity", "message", "measured", "threshold", "accepted")


@dataclass(frozen=True, slots=True)
class Start:
    """The run begins, or goes on. `time` is in milliseconds since 1970, as all times here."""

    experiment: str
    mode: str
    time: int
    tags: dict[str, str] = field(default_factory=dict)
    event: Literal["start"] = "start"


@dataclass(frozen=True, slots=True)
class Params:
    """Settings by dotted name. MLflow keeps the first value that a name was given."""

    values: dict[str, str]
    event: Literal["params"] = "params"


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """One point of a series."""

    name: str
    value: float
    time: int
    step: int = 0
    event: Literal["metric"] = "metric"


@dataclass(frozen=True, slots=True)
class Dataset:
    """A file that went in. `digests` maps an algorithm to hex digits; `role`: source, reference, training…"""

    name: str
    path: str
    digests: dict[str, str]
    role: str
    event: Literal["dataset"] = "dataset"


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file to keep with the run, in its folder `folder`. With `sha256` it is only sent unaltered."""

    path: str
    folder: str = ""
    sha256: str | None = None
    event: Literal["artifact"] = "artifact"


@dataclass(frozen=True, slots=True)
class TableEvent:
    """Rows to look at: samples, findings. `name` without an extension."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Json, ...], ...]
    event: Literal["table"] = "table"


@dataclass(frozen=True, slots=True)
class Finish:
    """The run ended: `finished` or `failed`."""

    status: Literal["finished", "failed"]
    time: int
    tags: dict[str, str] = field(default_factory=dict)
    event: Literal["finish"] = "finish"


Event = Start | Params | MetricPoint | Dataset | Artifact | TableEvent | Finish


def record_start(spool: "SpoolWriter", body: Mapping[str, Json], entry: str) -> None:
    """Spool what a `run.started` entry says; `entry` is its id."""
    spool.append(*start_events(body, entry, _now()))


def record_finish(
    spool: "SpoolWriter",
    body: Mapping[str, Json],
    entry: str,
    *,
    samples: Sequence[LineSample] = (),
    artifact: Path | None = None,
) -> None:
    """Spool what a `run.finished` entry says, with sample lines and the output file if there are any."""
    spool.append(*finish_events(body, entry, _now(), samples=samples, artifact=artifact))


def start_events(body: Mapping[str, Json], entry: str, now: int) -> list[Event]:
    """A `run.started` body as events. Every key of the body may be missing."""
    params = flatten(body.get("spec") or {})
    if body.get("command"):
        params["command"] = shlex.join(body["command"])
    events: list[Event] = [Start(str(body["experiment"]), str(body["mode"]), now, _start_tags(body, entry))]
    if params:
        events.append(Params(params))
    return events + [
        Dataset(
            name=Path(data["path"]).name,
            path=data["path"],
            digests={name: data[name] for name in ("md5", "sha256") if data.get(name)},
            role=role,
        )
        for role, data in (body.get("data") or {}).items()
        if data
    ]


def finish_events(
    body: Mapping[str, Json],
    entry: str,
    now: int,
    *,
    samples: Sequence[LineSample] = (),
    artifact: Path | None = None,
) -> list[Event]:
    """A `run.finished` body as events, the `Finish` last."""
    output = body.get("output") or {}
    events: list[Event] = list(_metrics(body, now))
    if body.get("effective"):
        events.append(Params(flatten(body["effective"], "effective")))
    if artifact is not None:
        events.append(Artifact(str(artifact.absolute()), sha256=_hex(output.get("sha256"))))
    if samples:
        rows = tuple((sample.number, sample.source, sample.output) for sample in samples)
        events.append(TableEvent("samples", SAMPLE_COLUMNS, rows))
    if findings := (body.get("report") or {}).get("findings"):
        rows = tuple(tuple(finding.get(column) for column in FINDING_COLUMNS) for finding in findings)
        events.append(TableEvent("findings", FINDING_COLUMNS, rows))
    status: Literal["finished", "failed"] = "finished" if body.get("status") == "finished" else "failed"
    return [*events, Finish(status, now, _finish_tags(body, entry))]


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


def _start_tags(body: Mapping[str, Json], entry: str) -> dict[str, str]:
    git = body.get("git") or {}
    mode = str(body["mode"])
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
    findings = (body.get("report") or {}).get("findings") or []
    signatures = {
        f"ledger.signature.{name}": metric.get("signature")
        for name, metric in (body.get("metrics") or {}).items()
    }
    return _tags(
        {
            "ledger.entry": entry,
            "ledger.verdict": body.get("verdict"),
            "ledger.findings": " ".join(sorted({finding["code"] for finding in findings})) or None,
            "ledger.output.md5": output.get("md5"),
            "ledger.output.sha256": output.get("sha256"),
            "ledger.exit_code": body.get("exit_code"),
            "ledger.error": body.get("error"),
            **signatures,
        }
    )


def _metrics(body: Mapping[str, Json], now: int) -> list[MetricPoint]:
    """The scores, what each finding measured (`guard.TXT001`), the seconds and the lines put out."""
    values: dict[str, Json] = {
        name: metric.get("value") for name, metric in (body.get("metrics") or {}).items()
    }
    for finding in (body.get("report") or {}).get("findings") or []:
        values[f"guard.{finding['code']}"] = finding.get("measured")
    values["seconds"] = body.get("seconds")
    values["output_lines"] = (body.get("output") or {}).get("lines")
    return [MetricPoint(name, float(value), now) for name, value in values.items() if _is_number(value)]


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _tags(values: Mapping[str, Json]) -> dict[str, str]:
    return {key: str(value) for key, value in values.items() if value is not None}


def _hex(digest: str | None) -> str | None:
    return digest.rpartition(":")[2] if digest else None


def _now() -> int:
    return time.time_ns() // 1_000_000
