"""`python -m ledger.importers.mlflow_dump URI`: every run of an MLflow store as JSON lines on stdout.

A process of its own, for MLflow takes seconds to import, prints as it likes, and opens its retired file store
only where MLFLOW_ALLOW_FILE_STORE is set. Give it a copy: opening a store may change it.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any


def runs(client: Any) -> Iterator[dict[str, Any]]:
    """The active runs of every active experiment, each with the history of its metrics."""
    for experiment in client.search_experiments():
        token = None
        while True:
            page = client.search_runs([experiment.experiment_id], page_token=token)
            yield from (run_facts(client, experiment.name, run) for run in page)
            token = page.token
            if not token:
                break


def run_facts(client: Any, experiment: str, run: Any) -> dict[str, Any]:
    """One run; `problems` names the metrics whose history cannot be read."""
    series: dict[str, list[tuple[int, float]]] = {}
    problems: list[str] = []
    for name in run.data.metrics:
        try:
            points = client.get_metric_history(run.info.run_id, name)
            series[name] = [(point.step, point.value) for point in points]
        except Exception as error:
            problems.append(f"the history of {name}: {' '.join(str(error).split())[:120]}")
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
    """Write one line per run; a store of an older MLflow is brought up to this one's schema first."""
    from mlflow.tracking import MlflowClient

    if uri.startswith("sqlite:"):
        from mlflow.store.db.utils import _upgrade_db, create_sqlalchemy_engine_with_retry

        _upgrade_db(create_sqlalchemy_engine_with_retry(uri))
    for one in runs(MlflowClient(uri)):
        sys.__stdout__.write(json.dumps(one) + "\n")  # type: ignore[union-attr]


if __name__ == "__main__":
    printed = sys.stdout
    sys.stdout = sys.stderr
    main(sys.argv[1])
    printed.flush()
