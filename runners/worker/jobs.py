"""The jobs a worker knows: an explicit table, each module imported when its job first comes."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from runners.worker.errors import JobError
from runners.worker.protocol import Events

Job = Callable[[Mapping[str, Any], Events], dict[str, Any]]

JOBS: dict[str, tuple[str, str]] = {
    "probe_codes": ("runners.worker.languages", "probe_codes"),
    "probe_training": ("runners.worker.languages", "probe_training"),
    "generate": ("runners.worker.generate", "generate"),
    "rehearse": ("runners.worker.rehearsal", "rehearse"),
    "train": ("runners.worker.training", "train"),
    "forecast": ("runners.worker.forecasting", "forecast"),
    "get_ready": ("runners.worker.probe", "get_ready"),
    "probe_checkpoint": ("runners.worker.probe", "probe_checkpoint"),
    "dump_defaults": ("runners.worker.defaults", "dump_defaults"),
}


def find_job(kind: str) -> Job:
    """The function that does this kind of job."""
    if kind not in JOBS:
        raise JobError("unknown job", f"the worker knows no job {kind!r}, only {', '.join(JOBS)}")
    module, function = JOBS[kind]
    job: Job = getattr(import_module(module), function)
    return job
