"""The effective defaults of an environment, read by a worker in it: no run, no weights, no network."""

from collections.abc import Callable, Sequence
from pathlib import Path

from ledger.display.progress import Progress
from runners.host.worker_process import Worker, progress_only
from runners.worker.messages import Defaults, DumpDefaults, ModelClass


def dump(
    interpreter: Path, log: Path, models: Sequence[ModelClass], on_progress: Callable[[Progress], None]
) -> Defaults:
    """Read the defaults in a worker of `interpreter`. Raises LedgerError where it cannot be run."""
    with Worker(interpreter, log) as worker:
        return worker.call(DumpDefaults(tuple(models)), progress_only(on_progress))
