"""Tiny models that are trained once and kept: in $LEDGER_MODELS, or else in pytest's cache folder.

Their names hold the digests of the environment, the text and the recipe, so a stale one is never used. A test
of a whole repository shares them by a symbolic link from its `.ledger/models` to `shared_models`.
"""

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from ledger.lockfile import find as find_lockfiles
from ledger.progress import Progress
from runners.environment import capture
from runners.process import Worker
from runners.rehearsal import Rehearsal, prepare

ROOT = Path(__file__).parents[3]


def no_progress(progress: Progress) -> None:
    """Nobody watches."""


@pytest.fixture(scope="session")
def shared_models(pytestconfig: pytest.Config) -> Path:
    """The folder of tiny models that outlives the session."""
    named = os.environ.get("LEDGER_MODELS")
    return Path(named) if named else pytestconfig.cache.mkdir("ledger-models")


@pytest.fixture(scope="session")
def environment() -> str:
    """The digest of this environment, as a run of the teacher experiments records it."""
    return capture(Path(sys.executable), find_lockfiles("mt-4.57.6", ROOT / "lockfiles")).digest


@pytest.fixture(scope="session")
def trained(worker: Worker, shared_models: Path, environment: str) -> Callable[..., Rehearsal]:
    """trained(family=…, objective=…): a tiny model, trained if no session before has."""
    return partial(prepare, worker, environment=environment, cache=shared_models, on_progress=no_progress)
