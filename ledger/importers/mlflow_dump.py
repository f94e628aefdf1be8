"""`python -m ledger.importers.mlflow_dump URI`: every run of an MLflow store as JSON lines on stdout.

A process of its own, because MLflow takes seconds to import, prints to stdout, and opens its deprecated file
store only with MLFLOW_ALLOW_FILE_STORE set. Call it on a copy: opening a store may change it.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

# What the last line on stderr begins with where the database has a revision that this MLflow does not know.
NEWER = "newer schema: "
_UNKNOWN = re.compile(r"Can't locate revision identified by '(\w+)'")


def runs(client: Any, uri: str) -> Iterator[dict[str, Any]]:
    """The active runs of all active experiments, with the histories of their metrics."""
    for experiment in client.search_experiments():
        if uri.startswith("file:"):
            yield from _one_by_one(client, experiment, Path(unquote(urlparse(uri).path)))
            continue
        token = None
        while True:
            page = client.search_runs([experiment.experiment_id], page_token=token)
            yield from (run_facts(client, experiment.name, run) for run in page)
            token = page.token
            if not token:
                break


def _one_by_one(client: Any, experiment: Any, store: Path) -> Iterator[dict[str, Any]]:
    """The runs of a file store, folder by folder: MLflow's search stops at the first damaged one."""
    for folder in sorted((store / experiment.experiment_id).glob("[0-9a-f]" * 32)):
        try:
            run = client.get_run(folder.name)
        except Exception as error:
            yield {"run_id": folder.name, "unread": _line(error)}
            continue
        if run.info.lifecycle_stage == "active":
            yield run_facts(client, experiment.name, run)


def run_facts(client: Any, experiment: str, run: Any) -> dict[str, Any]:
    """The facts of one run; `problems` names the metrics whose history cannot be read."""
    series: dict[str, list[tuple[int, float]]] = {}
    problems: list[str] = []
    for name in run.data.metrics:
        try:
            points = client.get_metric_history(run.info.run_id, name)
            series[name] = [(point.step, point.value) for point in points]
        except Exception as error:
            problems.append(f"the history of {name}: {_line(error)}")
    return {
        "experiment": experiment,
        "run_id": run.info.run_id,
        "name": run.info.run_name,
        "status": run.info.status,
        "start_ms": run.info.start_time,
        "end_ms": run.info.end_time,
        "params": run.data.params,
        "metrics": run.data.metrics,
        "tags": run.data.tags,
        "series": series,
        "problems": problems,
    }


def main(uri: str) -> None:
    """Write one line for each run; the database of an older MLflow is upgraded first."""
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    try:
        client = MlflowClient(uri)
        client.search_experiments(max_results=1)
    except MlflowException:
        if not uri.startswith("sqlite:"):
            raise
        from mlflow.store.db.utils import _upgrade_db, create_sqlalchemy_engine_with_retry

        try:
            _upgrade_db(create_sqlalchemy_engine_with_retry(uri))
        except Exception as error:  # alembic's, which is a dependency of MLflow only
            if unknown := _UNKNOWN.search(str(error)):
                sys.exit(f"{NEWER}{unknown[1]}")
            raise
        client = MlflowClient(uri)
    for one in runs(client, uri):
        sys.__stdout__.write(json.dumps(one) + "\n")  # type: ignore[union-attr]


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


if __name__ == "__main__":
    printed = sys.stdout
    sys.stdout = sys.stderr
    main(sys.argv[1])
    printed.flush()
