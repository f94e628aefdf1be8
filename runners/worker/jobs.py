"""The functions that do a worker's jobs: an explicit table. A module is imported when it is first needed."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from runners.worker.errors import JobError
from runners.worker.messages import Result
from runners.worker.protocol import Events

Function = Callable[[Any, Events], Result]

JOBS: dict[str, tuple[str, str]] = {
    "probe_codes": ("runners.worker.models.language_codes", "probe_codes"),
    "probe_training": ("runners.worker.models.language_codes", "probe_training"),
    "generate": ("runners.worker.generation.generate", "generate"),
    "rehearse": ("runners.worker.rehearsal.rehearse", "rehearse"),
    "train": ("runners.worker.training.train", "train"),
    "forecast": ("runners.worker.forecasting.forecast", "forecast"),
    "get_ready": ("runners.worker.evidence.probe", "get_ready"),
    "probe_checkpoint": ("runners.worker.evidence.probe", "probe_checkpoint"),
    "dump_defaults": ("runners.worker.models.library_defaults", "dump_defaults"),
}


def find_job(kind: str) -> Function:
    """The function that does this kind of job. Raises JobError for an unknown kind."""
    if kind not in JOBS:
        raise JobError("unknown job", f"the worker knows no job {kind!r}, only {', '.join(JOBS)}")
    module, function = JOBS[kind]
    found: Function = getattr(import_module(module), function)
    return found
