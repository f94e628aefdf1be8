"""The jobs a worker knows: an explicit table, each module imported when its job first comes."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from runners.worker.errors import JobError
from runners.worker.protocol import Events

Job = Callable[[Mapping[str, Any], Events], dict[str, Any]]

JOBS: dict[str, tuple[str, str]] = {
    "probe_codes": ("runners.worker.models.language_codes", "probe_codes"),
    "probe_training": ("runners.worker.models.language_codes", "probe_training"),
    "generate": ("runners.worker.generation.generate", "generate"),
    "rehearse": ("runners.worker.rehearsal.rehearse", "rehearse"),
    "train": ("runners.worker.training.train", "train"),
    "forecast": ("runners.worker.forecasting.forecast", "forecast"),
    "get_ready": ("runners.worker.evidence.reload", "get_ready"),
    "probe_checkpoint": ("runners.worker.evidence.reload", "probe_checkpoint"),
    "dump_defaults": ("runners.worker.models.library_defaults", "dump_defaults"),
}


def find_job(kind: str) -> Job:
    """The function that does this kind of job."""
    if kind not in JOBS:
        raise JobError("unknown job", f"the worker knows no job {kind!r}, only {', '.join(JOBS)}")
    module, function = JOBS[kind]
    job: Job = getattr(import_module(module), function)
    return job
