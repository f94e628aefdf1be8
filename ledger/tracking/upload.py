"""One run's events, applied to MLflow. The only module that imports it.

Applying an event twice leaves MLflow as it was: a run is found again by its tag `ledger.run`, params and
tags keep or repeat their value, files are overwritten, and MLflow's SQL stores drop a metric point with the
same name, step, time and value. (A file store would keep such a point twice.) So progress is remembered
after each step, and a crash costs at most one step done again.
"""

import hashlib
import json
import logging
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import mlflow.store.db.utils
from mlflow import MlflowClient, entities
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_LOGGED_ARTIFACTS
from pydantic import Field, TypeAdapter, ValidationError

from ledger.tracking import limits
from ledger.tracking.destination import Destination
from ledger.tracking.events import Artifact, Dataset, Event, Finish, MetricPoint, Params, Start, TableEvent
from ledger.tracking.spool import SpoolFile, SpoolLine, forget

log = logging.getLogger(__name__)

EVENTS: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="event")])
TORN_AFTER_SECONDS = 0.2
STATUSES = {"finished": "FINISHED", "failed": "FAILED"}
INCOMPLETE = "ledger.incomplete"


class LostError(Exception):
    """An event that can never be sent; the message says why."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines that are sent with one request: one event, or up to a batch of metric points."""

    lines: int
    end: int
    events: tuple[Event, ...]
    damage: str = ""

    @property
    def upload_bytes(self) -> int:
        """The size of the files that this step sends."""
        paths = [Path(event.path) for event in self.events if isinstance(event, Artifact)]
        return sum(path.stat().st_size for path in paths if path.is_file())


def connect(destination: Destination) -> MlflowClient:
    """A client of a store that has just answered. Raises what MLflow raises when it does not.

    A new SQLite database is created and migrated here.
    """
    # MLflow opens a database ten times over 200 s before it says what is wrong; four times is 1 s.
    mlflow.store.db.utils.MAX_RETRY_COUNT = 4
    if not destination.is_server:
        destination.artifacts.mkdir(parents=True, exist_ok=True)
    client = MlflowClient(destination.uri, destination.uri)
    client.search_experiments(max_results=1)
    return client


def steps(lines: Iterable[SpoolLine]) -> Iterator[Batch]:
    """The lines as steps, in order. A line that is no event becomes a step that only says so."""
    points: list[Event] = []
    end = 0
    for line in lines:
        event = _decode(line)
        if points and (not isinstance(event, MetricPoint) or len(points) == limits.METRICS_PER_BATCH):
            yield Batch(len(points), end, tuple(points))
            points = []
        if isinstance(event, MetricPoint):
            points.append(event)
        elif isinstance(event, str):
            yield Batch(1, line.end, (), damage=event)
        else:
            yield Batch(1, line.end, (event,))
        end = line.end
    if points:
        yield Batch(len(points), end, tuple(points))


class RunUpload:
    """Sends one run's unsent events to one MLflow store."""

    def __init__(self, client: MlflowClient, destination: Destination, file: SpoolFile) -> None:
        self._client = client
        self._destination = destination
        self._file = file
        sent = file.sent()
        # What another store has does not help this one: it gets the run from the first event on.
        self.sent = sent if sent.destination == destination.shown else forget(sent, destination.shown)

    def send(self, before_step: Callable[[Batch], None]) -> None:
        """Send every whole line that waits, remembering each step. Raises what MLflow raises.

        A run that the store no longer has (its database was deleted) is sent again from its first event.
        """
        try:
            self._send_rest(before_step)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST" or not self.sent.offset:
                raise
            self.sent = forget(self.sent, self.sent.destination)
            self._send_rest(before_step)

    def _send_rest(self, before_step: Callable[[Batch], None]) -> None:
        for step in steps(self._file.lines(self.sent.offset)):
            before_step(step)
            try:
                self._apply(step)
            except LostError as loss:
                self._lose(str(loss))
            except MlflowException as error:
                if error.error_code != "INVALID_PARAMETER_VALUE" or isinstance(step.events[0], Start):
                    raise
                self._lose(f"{step.events[0].event} was refused: {error.message}")
            self._advance(step.end)
        self._settle_tail()

    def _settle_tail(self) -> None:
        """Give a line without its newline a moment, as it may be being written; then it is torn."""
        tail = self._file.tail(self.sent.offset)
        if tail is None:
            return
        time.sleep(TORN_AFTER_SECONDS)
        if self._file.tail(self.sent.offset) == tail:
            self._lose(f"line {tail.number} of the spool file, its last, is torn")
            self._advance(tail.end)

    def _advance(self, offset: int) -> None:
        self.sent = replace(self.sent, offset=offset)
        self._file.remember(self.sent)

    def _apply(self, step: Batch) -> None:
        if step.damage:
            raise LostError(step.damage)
        if not isinstance(step.events[0], Start):
            self._need_run()
        match step.events[0]:
            case Start() as start:
                self._start(start)
            case Params(values):
                self._params(values)
            case MetricPoint():
                self._metrics(step.events)
            case Dataset() as dataset:
                self._client.log_inputs(self.sent.mlflow_run, [dataset_input(dataset)])
            case Artifact() as artifact:
                self._artifact(artifact)
            case TableEvent() as table:
                self._table(table)
            case Finish() as finish:
                self._tag(finish.tags)
                self._client.set_terminated(self.sent.mlflow_run, STATUSES[finish.status], finish.time)

    def _start(self, start: Start) -> None:
        """Create the run, or go on with the one that an earlier sender created."""
        name = f"{start.experiment} (rehearsal)" if start.mode == "rehearsal" else start.experiment
        experiment = self._experiment(name)
        quoted = self._file.run.replace("'", "")
        found = self._client.search_runs([experiment], f"tags.`ledger.run` = '{quoted}'", max_results=1)
        if found:
            self._remember_run(found[0].info.run_id)
            self._client.update_run(self.sent.mlflow_run, status="RUNNING")
        else:
            tags = {"ledger.run": self._file.run}
            run = self._client.create_run(experiment, start.time, tags, run_name=self._file.run)
            self._remember_run(run.info.run_id)
        self._tag({**start.tags, **self._incomplete()})

    def _need_run(self) -> None:
        """Where the start was lost with a damaged line, the run id still names the experiment."""
        if not self.sent.mlflow_run:
            self._start(Start(self._file.run.rpartition("-")[0] or self._file.run, "unknown", time=0))

    def _experiment(self, name: str) -> str:
        known = self._client.get_experiment_by_name(name)
        if known is not None and known.lifecycle_stage == "deleted":
            raise MlflowException(
                f"MLflow's experiment {name!r} was deleted: restore it, or purge it with mlflow gc"
            )
        if known is not None:
            return str(known.experiment_id)
        return str(self._client.create_experiment(name, self._destination.artifact_location(name)))

    def _remember_run(self, mlflow_run: str) -> None:
        self.sent = replace(self.sent, mlflow_run=mlflow_run)

    def _params(self, values: Mapping[str, str]) -> None:
        """Log the params that MLflow does not have; one that it has with another value becomes a loss."""
        fitted = limits.fit_items(values, limits.PARAM_LENGTH)
        known = self._client.get_run(self.sent.mlflow_run).data.params
        new = [entities.Param(key, value) for key, value in fitted.items() if key not in known]
        for start in range(0, len(new), limits.PARAMS_PER_BATCH):
            batch = new[start : start + limits.PARAMS_PER_BATCH]
            self._client.log_batch(self.sent.mlflow_run, params=batch)
        for key, value in fitted.items():
            if known.get(key, value) != value:
                self._lose(f"param {key} stays {known[key]!r}, though later it was {value[:80]!r}")

    def _metrics(self, points: Iterable[Event]) -> None:
        metrics = [
            entities.Metric(limits.fit_key(point.name), point.value, point.time, point.step)
            for point in points
            if isinstance(point, MetricPoint)
        ]
        self._client.log_batch(self.sent.mlflow_run, metrics=metrics)

    def _artifact(self, artifact: Artifact) -> None:
        path = Path(artifact.path)
        if not path.is_file():
            raise LostError(f"{path} is gone")
        if artifact.sha256 and _sha256(path) != artifact.sha256:
            raise LostError(f"{path} was changed after the run (its SHA-256 differs)")
        self._client.log_artifact(self.sent.mlflow_run, str(path), artifact.folder or None)

    def _table(self, table: TableEvent) -> None:
        """The file and the tag that `load_table` looks for; `log_table` itself appends when repeated."""
        content = {"columns": table.columns, "data": table.rows}
        name = f"{table.name}.json"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, name)
            path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
            self._client.log_artifact(self.sent.mlflow_run, str(path))
        logged = self._client.get_run(self.sent.mlflow_run).data.tags.get(MLFLOW_LOGGED_ARTIFACTS, "[]")
        tables = [entry for entry in json.loads(logged) if entry["path"] != name]
        self._tag({MLFLOW_LOGGED_ARTIFACTS: json.dumps([*tables, {"path": name, "type": "table"}])})

    def _tag(self, tags: Mapping[str, str]) -> None:
        fitted = limits.fit_items(tags, limits.TAG_LENGTH)
        self._client.log_batch(
            self.sent.mlflow_run, tags=[entities.RunTag(key, value) for key, value in fitted.items()]
        )

    def _lose(self, what: str) -> None:
        """Say in the log, in the state and on the MLflow run that it lacks something."""
        log.warning("%s: %s", self._file.run, what)
        if what not in self.sent.lost:
            self.sent = replace(self.sent, lost=(*self.sent.lost, what))
        if self.sent.mlflow_run:
            self._tag(self._incomplete())

    def _incomplete(self) -> dict[str, str]:
        return {INCOMPLETE: "; ".join(self.sent.lost)} if self.sent.lost else {}


def dataset_input(dataset: Dataset) -> entities.DatasetInput:
    """A file's name and digests as an MLflow input.

    MLflow's digest holds 36 characters: `md5:` and its 32 hex digits. All digests are in the source and tags.
    """
    algorithm, digits = next(iter(dataset.digests.items()), ("none", ""))
    source = {"uri": dataset.path, **dataset.digests}
    tags = {
        "mlflow.data.context": dataset.role,
        **{f"ledger.{key}": value for key, value in dataset.digests.items()},
    }
    return entities.DatasetInput(
        entities.Dataset(
            name=dataset.name[:500],
            digest=f"{algorithm}:{digits.rpartition(':')[2]}"[: limits.DATASET_DIGEST_LENGTH],
            source_type="local",
            source=json.dumps(source, ensure_ascii=False),
        ),
        [entities.InputTag(key, value) for key, value in tags.items()],
    )


def _decode(line: SpoolLine) -> Event | str:
    """The event of a line, or what is wrong with it."""
    try:
        return EVENTS.validate_json(line.data)
    except ValidationError:
        return f"line {line.number} of the spool file is damaged"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
