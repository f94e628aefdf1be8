"""Replays one run into MLflow. The only module that imports it.

Applying an event twice leaves MLflow as it was: a run is found again by its tag `ledger.run`, params and
tags keep or repeat their value, files are overwritten, and MLflow's SQL stores drop a metric point with the
same name, step, time and value. (A file store would keep such a point twice.) The state is stored after each
entry and each batch of points, so a sender that is killed costs at most one of them sent again.
"""

import json
import logging
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

import mlflow.store.db.utils
from mlflow import MlflowClient, entities
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_LOGGED_ARTIFACTS

from ledger.tracking import limits
from ledger.tracking.content import Dataset, EntryContent, TrackedFile, TrackedTable
from ledger.tracking.destination import Destination
from ledger.tracking.queue import QueuedRun, Sent, forget
from ledger.tracking.series import MetricPoint, SeriesLine
from ledger.utils.hashing import digest_file

log = logging.getLogger(__name__)
T = TypeVar("T")
BeforeStep = Callable[[int, int], None]

STATUSES = {"finished": "FINISHED", "failed": "FAILED"}
INCOMPLETE = "ledger.incomplete"


class LostError(Exception):
    """An item that can never be sent; the message says why."""


def connect(destination: Destination) -> MlflowClient:
    """A client of a store that is reachable. Propagates MLflow's error if it is not.

    A new SQLite database is created and migrated here.
    """
    # MLflow opens a database ten times over 200 s before it says what is wrong; four times is 1 s.
    mlflow.store.db.utils.MAX_RETRY_COUNT = 4
    if not destination.is_server:
        destination.artifacts.mkdir(parents=True, exist_ok=True)
    client = MlflowClient(destination.uri, destination.uri)
    client.search_experiments(max_results=1)
    return client


class RunReplay:
    """Sends the part of one run that an MLflow store does not have yet."""

    def __init__(self, client: MlflowClient, destination: Destination, run: QueuedRun) -> None:
        self._client = client
        self._destination = destination
        self._run = run
        sent = run.sent()
        # What another store has does not help this one: it gets the whole run.
        self.sent = sent if sent.destination == destination.shown else forget(sent, destination.shown)

    def send(self, before_step: BeforeStep) -> None:
        """Send everything that is not sent yet, storing the progress. Raises what MLflow raises.

        `before_step` is called before each request, with its number of events and its bytes of files. A run
        that the store no longer has (its database was deleted) is sent again as a whole.
        """
        self._before_step = before_step
        try:
            self._send_rest()
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST" or not self.sent.mlflow_run:
                raise
            self.sent = forget(self.sent, self.sent.destination)
            self._send_rest()

    def _send_rest(self) -> None:
        for entry in self._run.entries:
            if entry.id not in self.sent.entries:
                self._send_entry(self._run.content(entry))
                self._advance(replace(self.sent, entries=(*self.sent.entries, entry.id)))
        self._send_series()

    def _send_entry(self, content: EntryContent) -> None:
        if content.starts or not self.sent.mlflow_run:  # a start may be missing from the journal
            self._before_step(1, 0)
            self._start(content)
        if content.params:
            self._attempt("params", 1, partial(self._params, content.params))
        self._send_metrics(content.metrics)
        for dataset in content.datasets:
            inputs = [dataset_input(dataset)]
            self._attempt("dataset", 1, partial(self._client.log_inputs, self.sent.mlflow_run, inputs))
        for file in content.files:
            self._attempt("file", 1, partial(self._file, file), file.path)
        for table in content.tables:
            self._attempt("table", 1, partial(self._table, table))
        if content.status:
            self._send_series()  # what MLflow shows as ended is complete
            self._attempt("end", 1, partial(self._finish, content))

    def _send_series(self) -> None:
        for lines in _batches(self._run.lines(self.sent.series), limits.METRICS_PER_BATCH):
            self._send_metrics([line.point for line in lines if line.point])
            for line in lines:
                if line.point is None:
                    self._lose(_damage(line))
            self._advance(replace(self.sent, series=lines[-1].end))

    def _send_metrics(self, points: Iterable[MetricPoint]) -> None:
        metrics = [entities.Metric(limits.fit_key(one.name), one.value, one.time, one.step) for one in points]
        for batch in _batches(metrics, limits.METRICS_PER_BATCH):
            self._attempt("metric", len(batch), partial(self._client.log_batch, self.sent.mlflow_run, batch))

    def _advance(self, sent: Sent) -> None:
        self.sent = sent
        self._run.remember(sent)

    def _attempt(self, what: str, count: int, send: Callable[[], None], upload: Path | None = None) -> None:
        """Send one item; one that can never be sent is recorded as lost."""
        self._before_step(count, upload.stat().st_size if upload and upload.is_file() else 0)
        try:
            send()
        except LostError as loss:
            self._lose(str(loss))
        except MlflowException as error:
            if error.error_code != "INVALID_PARAMETER_VALUE":
                raise
            self._lose(f"{what} was refused: {error.message}")

    def _start(self, start: EntryContent) -> None:
        """Create the MLflow run, or find the one that an earlier sender created."""
        name = f"{start.experiment} (rehearsal)" if start.mode == "rehearsal" else start.experiment
        experiment = self._experiment(name)
        quoted = self._run.id.replace("'", "")
        found = self._client.search_runs([experiment], f"tags.`ledger.run` = '{quoted}'", max_results=1)
        if found:
            self._remember_run(found[0].info.run_id)
            self._client.update_run(self.sent.mlflow_run, status="RUNNING")
        else:
            tags = {"ledger.run": self._run.id}
            run = self._client.create_run(experiment, start.time, tags, run_name=self._run.id)
            self._remember_run(run.info.run_id)
        self._tag({**start.tags, **self._incomplete()})

    def _finish(self, content: EntryContent) -> None:
        self._tag(content.tags)
        self._client.set_terminated(self.sent.mlflow_run, STATUSES[content.status or ""], content.time)

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
        for batch in _batches(new, limits.PARAMS_PER_BATCH):
            self._client.log_batch(self.sent.mlflow_run, params=batch)
        for key, value in fitted.items():
            if known.get(key, value) != value:
                self._lose(f"param {key} stays {known[key]!r}, though later it was {value[:80]!r}")

    def _file(self, file: TrackedFile) -> None:
        if not file.path.is_file():
            raise LostError(f"{file.path} is gone")
        if digest_file(file.path)["sha256"] != file.sha256:
            raise LostError(f"{file.path} was changed after the run (its SHA-256 differs)")
        self._client.log_artifact(self.sent.mlflow_run, str(file.path))

    def _table(self, table: TrackedTable) -> None:
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
        """Report in the log, in the state and on the MLflow run that something is missing."""
        log.warning("%s: %s", self._run.id, what)
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


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    return iter(lambda: list(islice(rest, size)), [])


def _damage(line: SeriesLine) -> str:
    return f"line {line.number} of the metric series is {'torn' if line.torn else 'damaged'}"
