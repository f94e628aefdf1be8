"""The functions that do a worker's jobs: an explicit table. A module is imported when it is first needed."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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
    "score_comet": ("runners.worker.evaluation.comet", "score_comet"),
    "rehearse": ("runners.worker.rehearsal.rehearse", "rehearse"),
    "train": ("runners.worker.training.train", "train"),
    "forecast": ("runners.worker.forecasting.forecast", "forecast"),
    "get_ready": ("runners.worker.evidence.probe", "get_ready"),
    "probe_checkpoint": ("runners.worker.evidence.probe", "probe_checkpoint"),
    "dump_defaults": ("runners.worker.models.library_defaults", "dump_defaults"),
}
# These jobs load a model. Their modules import transformers only where it is used.
LOADS_MODELS = frozenset({"generate", "rehearse", "get_ready", "probe_checkpoint"})


def find_job(kind: str) -> Function:
    """The function that does this kind of job. Raises JobError for an unknown kind."""
    if kind not in JOBS:
        raise JobError("unknown job", f"the worker knows no job {kind!r}, only {', '.join(JOBS)}")
    module, function = JOBS[kind]
    with _no_garbage_collection():
        found: Function = getattr(import_module(module), function)
        if kind in LOADS_MODELS:
            with suppress(ImportError):  # the job reports what it misses
                import_module("transformers.modeling_utils")
                import_module("transformers.generation.utils")
    return found


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Import large libraries without looking for garbage, of which they leave none: a sixth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
