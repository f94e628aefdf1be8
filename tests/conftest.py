"""What tests of every package share: tiny models that are trained once, scratch repositories, the command."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# A slow day is no failure.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

ROOT = Path(__file__).parents[1]
LEDGER = Path(sys.executable).parent / "ledger"
# Tests of the sender start it themselves; elsewhere each run would cost an import of MLflow. No test needs
# the hub, which would be asked for minutes where there is no network.
QUIET = {**os.environ, "LEDGER_SEND": "never", "HF_HUB_OFFLINE": "1"}


@dataclass(frozen=True)
class Repository:
    """A scratch repository, and the installed command run in it, with these `variables` on top of its own."""

    root: Path
    variables: dict[str, str] = field(default_factory=dict)

    def start(self, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
        """The command, running."""
        return subprocess.Popen(
            [str(LEDGER), *arguments],
            cwd=self.root,
            env={**QUIET, **self.variables},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )

    def ledger(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """The command, ended. A traceback is never what a user may see."""
        done = subprocess.run(
            [str(LEDGER), *arguments],
            cwd=self.root,
            env={**QUIET, **self.variables},
            text=True,
            capture_output=True,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

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


@pytest.fixture
def make_repository(shared_models: Path, tmp_path: Path) -> Callable[[], Repository]:
    """make_repository(): a committed git repository with this project's experiments and lockfiles."""
    return lambda: begin_repository(tmp_path / "repository", shared_models)


def begin_repository(root: Path, shared_models: Path) -> Repository:
    """The same in any folder, for fixtures that outlive a test."""
    root.mkdir()
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
    return repository


@pytest.fixture
def repository(make_repository: Callable[[], Repository]) -> Repository:
    """A scratch repository."""
    return make_repository()
