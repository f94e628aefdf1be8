"""What tests of every package share: tiny models that are trained once, scratch repositories, the command."""

import json
import os
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

from runners.host.worker_process import Event, Worker
from runners.worker.messages import Job
from tests.command import LEDGER, environment, run_ledger, run_process
from tests.shared_worker import FORECASTING, GENERATION, RELOADING, TRAINING, Pool, shared

# A slow day is not a failure, and neither is an unlucky one: the same commit is tried with the same examples.
# `pytest --hypothesis-profile explore` looks for new ones.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", PATIENT)
settings.register_profile("repeatable", PATIENT, derandomize=True)
settings.load_profile("repeatable")

ROOT = Path(__file__).parents[1]
# Tiny tensors gain nothing from threads, and lose much where test processes share a few cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Tests of the MLflow sender start it themselves; elsewhere each run would cost an import of MLflow.
os.environ["LEDGER_SEND"] = "never"


# An integration test uses a fixture that starts workers or MLflow, or is in a folder full of such tests.
EXPENSIVE_FIXTURES = {
    "browser",
    "good",
    "healthy",
    "migrated_database",
    "models",
    "shared_models",
    "tiny_marian",
    "worker",
    "written",
}
EXPENSIVE_FOLDERS = ("docs", "faults", "ledger/tracking", "runners", "tools")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the integration tests, which `make check` leaves out."""
    folders = tuple(ROOT / "tests" / name for name in EXPENSIVE_FOLDERS)
    for item in items:
        if not EXPENSIVE_FIXTURES.isdisjoint(item.fixturenames) or any(
            item.path.is_relative_to(folder) for folder in folders
        ):
            item.add_marker("integration")


@dataclass(frozen=True)
class Repository:
    """A scratch repository, and the command run in it, with these `variables` on top of the tests' own."""

    root: Path
    variables: dict[str, str] = field(default_factory=dict)

    def start(self, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
        """Start the installed command: for tests that send signals, or run two at once."""
        return subprocess.Popen(
            [str(LEDGER), *arguments],
            cwd=self.root,
            env=environment(self.variables),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )

    def process(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run the installed command as a process of its own: for tests of start-up and of its streams."""
        return run_process(*arguments, cwd=self.root, variables=self.variables)

    def ledger(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run the command to its end, in this process. A user must never see a traceback."""
        return run_ledger(*arguments, cwd=self.root, variables=self.variables)

    def json(self, *arguments: str, exits: int = 0) -> dict[str, Any]:
        """The one document that the command prints with --json, and the exit code that it must have."""
        done = self.ledger(*arguments, "--json")
        assert done.returncode == exits, done.stderr + done.stdout
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    def git(self, *arguments: str) -> None:
        """A git command that must succeed."""
        subprocess.run(["git", *arguments], cwd=self.root, check=True, capture_output=True)


@pytest.fixture(scope="session")
def shared_models(pytestconfig: pytest.Config) -> Path:
    """The folder of tiny models, in $LEDGER_MODELS or pytest's cache: it outlives the session.

    Their names hold the digests of environment, text and recipe, so a stale one is never used.
    """
    named = os.environ.get("LEDGER_MODELS")
    return Path(named) if named else pytestconfig.cache.mkdir("ledger-models")


def make_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The session's folder `name`, filled by `make(folder)` in the first xdist worker that asks for it."""
    own = factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / name
    complete = folder.with_name(f"{name}.complete")
    with FileLock(f"{folder}.lock"):
        if not complete.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            complete.touch()
    return folder


@pytest.fixture(scope="session")
def template_repository(tmp_path_factory: pytest.TempPathFactory, shared_models: Path) -> Path:
    """A committed git repository with this project's experiments and lockfiles, to be copied."""

    def make(root: Path) -> None:
        repository = Repository(root)
        repository.git("init", "--quiet", "--initial-branch=main")
        repository.git("config", "user.name", "Ana")
        repository.git("config", "user.email", "ana@example.org")
        for folder in ("experiments", "lockfiles"):
            shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("*.jsonl"))
        assert repository.ledger("init").returncode == 0
        (root / ".ledger").mkdir()
        (root / ".ledger" / "models").symlink_to(shared_models, target_is_directory=True)
        repository.git("add", "--all")
        repository.git("commit", "--quiet", "--message", "begin")

    return make_once(tmp_path_factory, "template-repository", make)


def copy_repository(template: Path, root: Path) -> Repository:
    """A copy of a repository in the folder `root`."""
    shutil.copytree(template, root, symlinks=True, dirs_exist_ok=True)
    return Repository(root)


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty MLflow database: its migrations take seconds."""

    def make(root: Path) -> None:
        from ledger.tracking.destination import find_destination
        from ledger.tracking.replay import connect

        connect(find_destination(root, {}))

    return make_once(tmp_path_factory, "mlflow", make) / ".ledger" / "mlflow.db"


@pytest.fixture
def make_repository(template_repository: Path, tmp_path: Path) -> Callable[[], Repository]:
    """make_repository(): a committed git repository with this project's experiments and lockfiles."""
    return lambda: copy_repository(template_repository, tmp_path / "repository")


@pytest.fixture
def repository(make_repository: Callable[[], Repository]) -> Repository:
    """A scratch repository."""
    return make_repository()


@pytest.fixture(scope="session")
def worker_pool() -> Iterator[Pool]:
    """The worker processes that tests share."""
    pool = Pool()
    yield pool
    pool.close()


@pytest.fixture(autouse=True)
def equal_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    """Verify with the training's priority: where tests keep every core busy, a lower one would starve."""
    monkeypatch.setattr("ledger.commands.verify.background.NICE", 0)


@pytest.fixture(autouse=True)
def shared_workers(request: pytest.FixtureRequest, worker_pool: Pool) -> Iterator[None]:
    """Share worker processes, except in tests of the workers themselves and those marked `own_worker`."""
    item = request.node
    if item.get_closest_marker("own_worker") or item.path.is_relative_to(ROOT / "tests" / "runners"):
        yield
        return
    with shared(worker_pool, (GENERATION, TRAINING, FORECASTING, RELOADING)):
        yield


Interpreter = tuple[int, float]
"""A process: its id, and when it started."""


@pytest.fixture
def interpreters(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Interpreter]]:
    """The processes that do the jobs which are sent from this one, by the kind of job, in order."""
    found: dict[str, list[Interpreter]] = defaultdict(list)
    request = Worker.request

    def observe(worker: Worker, job: Job[Any]) -> Iterator[Event]:
        found[job.JOB].append((worker.pid, psutil.Process(worker.pid).create_time()))
        return request(worker, job)

    monkeypatch.setattr(Worker, "request", observe)
    return found
