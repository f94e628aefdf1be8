"""Tiny models that are trained once, and kept in `shared_models`."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from ledger.display.progress import Progress
from ledger.environments.lockfile import find as find_lockfiles
from runners.environments.inspection import capture
from runners.host.worker_process import Worker
from runners.rehearsal import Rehearsal, prepare

ROOT = Path(__file__).parents[3]


def no_progress(progress: Progress) -> None:
    """Nobody watches."""


@pytest.fixture(scope="session")
def environment() -> str:
    """The digest of this environment, as a run of the teacher experiments records it."""
    return capture(Path(sys.executable), find_lockfiles("mt-4.57.6", ROOT / "lockfiles")).digest


@pytest.fixture(scope="session")
def trained(worker: Worker, shared_models: Path, environment: str) -> Callable[..., Rehearsal]:
    """trained(family=…, objective=…): a tiny model, trained if no session before has."""
    return partial(prepare, worker, environment=environment, cache=shared_models, on_progress=no_progress)
