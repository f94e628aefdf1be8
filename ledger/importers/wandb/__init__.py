"""W&B runs: the `.wandb` file of an offline run, the `files/` of an online one, or a folder of either."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ledger.errors import LedgerError
from ledger.evidence.imported_claims import Claimed, ClaimedRun, Outcome, Point
from ledger.findings import Json
from ledger.importers.untrusted_files import (
    Problems,
    foreign,
    model_in,
    parse_json,
    parse_yaml,
    pinned,
)
from ledger.importers.wandb.container import Damage, read_records
from ledger.importers.wandb.schema import record_class
from ledger.utils.json_values import to_metric
from ledger.utils.redaction import scrub_url
from ledger.utils.times import iso_utc

KIND = "wandb"
MOST_BYTES = 2 * 2**30  # read at once
GLOBS = ("*.wandb", "*/*.wandb", "wandb/*/*.wandb")
# What an online run leaves, or a download of its files: a folder `files`, or its content.
SUMMARY = "wandb-summary.json"
FILES = (SUMMARY, f"files/{SUMMARY}", f"*/files/{SUMMARY}", f"wandb/*/files/{SUMMARY}")
_RUN_FOLDER = re.compile(r"(offline-)?run-\d{8}_\d{6}-\w+$")
_ENVIRONMENT = ("os", "python", "gpu", "cudaVersion")


def matches(path: Path) -> bool:
    """Whether this is a `.wandb` file, or a folder with one or with W&B's files up to two levels down."""
    return bool(_files(path) or _folders(path))


def read(path: Path) -> Claimed:
    """All runs below `path`. Raises LedgerError if there is none, or none can be read."""
    files, folders = _files(path), _folders(path)
    if not files and not folders:
        raise foreign(path, "a W&B run")
    problems = Problems()
    runs = [_run_of_files(folder, problems) for folder in folders]
    for file in files:
        try:
            runs.append(_read_run(file, problems))
        except LedgerError as error:
            problems.append(f"{file.name}: {error.message}")
    if not runs:
        raise LedgerError(
            f"nothing in {path} can be read: {problems[0]}", hint="is the copy of the run's folder complete?"
        )
    return Claimed(KIND, tuple(runs), tuple(problems.files), tuple(problems))


def decode(data: bytes) -> "tuple[list[Any], list[str]]":
    """The records in the bytes of a `.wandb` file, and messages about damaged parts.

    A truncated file gives the records before the cut. Raises LedgerError if it is not a `.wandb` file.
    """
    from google.protobuf.message import DecodeError

    records, problems = [], []
    for part in read_records(data):
        if isinstance(part, Damage):
            problems.append(f"cannot be read at byte {part.at:,}: {part.why}")
            continue
        record = record_class()()
        try:
            record.ParseFromString(part)
        except DecodeError:
            problems.append("a record is not in W&B's format")
            continue
        records.append(record)
    return records, problems


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        found = (file for pattern in GLOBS for file in sorted(path.glob(pattern)))
        return list({file.resolve(): file for file in found if file.is_file()}.values())
    return [path] if path.suffix == ".wandb" and path.is_file() else []


def _folders(path: Path) -> list[Path]:
    """The folders with W&B's files that have no `.wandb` file next to them."""
    found = {file.parent for pattern in FILES for file in path.glob(pattern)} if path.is_dir() else set()
    return sorted(one for one in found if not any(one.parent.glob("*.wandb")))


def _run_of_files(folder: Path, problems: Problems) -> ClaimedRun:
    """The run of a folder of files: last values only, since the history is on the server."""
    run = folder.parent if folder.name == "files" else folder
    folder_name = run.absolute().name
    name = folder_name.rpartition("-")[2] if _RUN_FOLDER.match(folder_name) else folder_name
    content = _Files(folder, problems)
    params = {key: value for key, value in content.config.items() if not key.startswith("_")}
    facts = {"program": content.metadata.get("program"), "seconds": content.summary.get("_runtime")}
    facts |= {"time": content.metadata.get("startedAt"), "steps": content.summary.get("_step")}
    return ClaimedRun(
        experiment=name,
        key=name,
        model=model_in(params),
        params=params,
        metrics=content.metrics,
        environment=content.environment,
        facts={key: value for key, value in facts.items() if value is not None},
        where=run.name,
    )


class _Files:
    """The parsed content of a folder `files`."""

    def __init__(self, folder: Path, problems: Problems) -> None:
        self.config = _values(problems.mapping(folder / "config.yaml", parse_yaml))
        self.metadata = problems.mapping(folder / "wandb-metadata.json", parse_json)
        self.summary = problems.mapping(folder / SUMMARY, parse_json)
        packages = problems.mapping(folder / "requirements.txt", pinned)
        named = {key: self.metadata[key] for key in _ENVIRONMENT if self.metadata.get(key)}
        self.environment = {**named, **({"packages": packages} if packages else {})}

    @property
    def metrics(self) -> dict[str, float]:
        """The last values."""
        return _metrics(self.summary)


def _metrics(summary: Mapping[str, Json]) -> dict[str, float]:
    return {k: n for k, v in summary.items() if k[:1] != "_" and (n := to_metric(v)) is not None}


def _read_run(file: Path, problems: Problems) -> ClaimedRun:
    data = problems.read(file, bytes, MOST_BYTES)
    records, damage = decode(data if data is not None else b"")
    problems += [f"{file.name}: {one}" for one in damage]
    run = _MergedRecords(records)
    files = _Files(file.parent / "files", problems)
    config = {**files.config, **run.config}
    if not run.ended:
        problems.append(f"{file.name}: no exit is recorded: the run was interrupted or is still running")
    params = {key: value for key, value in config.items() if not key.startswith("_wandb")}
    return ClaimedRun(
        experiment=run.head.get("name") or run.head.get("id") or file.stem.removeprefix("run-"),
        key=run.head.get("id") or file.stem.removeprefix("run-"),
        title=run.head.get("notes") or "",
        outcome=run.outcome,
        model=model_in(params),
        params=params,
        metrics=_metrics({**files.summary, **run.summary}),
        series=run.series,
        environment={**files.environment, **run.environment},
        facts={key: value for key, value in run.head.items() if key != "notes"},
        where=file.name,
    )


class _MergedRecords:
    """The merged records of a run; later ones override earlier ones."""

    def __init__(self, records: Iterable[Any]) -> None:
        self.head: dict[str, Json] = {}
        self.config: dict[str, Json] = {}
        self.summary: dict[str, Json] = {}
        self.series: dict[str, list[Point]] = {}
        self.environment: dict[str, Json] = {}
        self.outcome: Outcome | None = None
        self.ended = False
        takes = {
            "run": self._take_run,
            "config": lambda one: _update(self.config, one),
            "summary": lambda one: _update(self.summary, one),
            "history": self._take_history,
            "environment": self._take_environment,
            "exit": self._take_exit,
        }
        for record in records:
            for field, value in record.ListFields():
                takes[field.name](value)

    def _take_run(self, run: Any) -> None:
        facts = {"id": run.run_id, "name": run.display_name, "project": run.project, "group": run.run_group}
        facts |= {"notes": run.notes, "tags": list(run.tags), "time": _time(run.start_time)}
        facts |= {"commit": run.git.commit, "repository": scrub_url(run.git.remote_url)}
        self.head |= {key: value for key, value in facts.items() if value}
        _update(self.config, run.config)
        _update(self.summary, run.summary)

    def _take_history(self, history: Any) -> None:
        values = {_name(item): _json(item.value_json) for item in history.item}
        step = values.get("_step", history.step.num)
        for name, value in values.items():
            number = to_metric(value)
            if number is not None and not name.startswith("_") and isinstance(step, int):
                self.series.setdefault(name, []).append(Point(step, number))

    def _take_environment(self, environment: Any) -> None:
        facts = {"os": environment.os, "python": environment.python, "program": environment.program}
        facts |= {"gpu": environment.gpu_type, "cuda": environment.cuda_version}
        facts |= {"commit": environment.git.commit}
        self.environment |= {key: value for key, value in facts.items() if value}

    def _take_exit(self, end: Any) -> None:
        self.ended = not end.not_complete
        self.outcome = "failed" if end.exit_code or end.not_complete else "completed"
        self.head |= {"exit_code": end.exit_code, "seconds": end.runtime}


def _update(target: dict[str, Json], items: Any) -> None:
    for item in items.update:
        target[_name(item)] = _json(item.value_json)
    for item in items.remove:
        target.pop(_name(item), None)


def _name(item: Any) -> str:
    return ".".join(item.nested_key) or str(item.key)


def _json(text: str) -> Json:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _values(config: dict[str, Json]) -> dict[str, Json]:
    """The settings of a config.yaml, which W&B nests under `value`."""
    return {key: one["value"] for key, one in config.items() if isinstance(one, dict) and "value" in one}


def _time(stamp: Any) -> str:
    if not stamp.seconds:
        return ""
    try:
        return iso_utc(datetime.fromtimestamp(stamp.seconds, UTC), "seconds")
    except (OverflowError, ValueError, OSError):
        return ""
