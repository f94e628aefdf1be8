"""Recording one run: its entries in the journal, and in its folder what is for MLflow alone."""

import math
import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from ledger.environments.environment import Environment
from ledger.environments.lockfile import Lockfile
from ledger.errors import LedgerError
from ledger.evidence.preflight import GitState
from ledger.evidence.text import LineSample
from ledger.findings import Json, Report
from ledger.git.patch import keep
from ledger.journal.store import Journal, open_journal
from ledger.tracking.sender import launch
from ledger.tracking.series import MetricPoint, append_points, write_samples
from ledger.utils.paths import relative_if_inside
from ledger.workspace import Workspace

Mode = Literal["real", "rehearsal", "command"]


def new_run_id(experiment: str) -> str:
    """`<experiment>-<6 hex digits>`: short enough to type, and two at once do not collide."""
    return f"{experiment}-{secrets.token_hex(3)}"


class Recorder:
    """One run's way into the record. Holds the run's lock, by which others see that it is alive."""

    def __init__(
        self,
        workspace: Workspace,
        mode: Mode,
        experiment: str,
        run: str,
        *,
        warn: Callable[[str], None] = lambda message: print(f"ledger: {message}", file=sys.stderr),
    ) -> None:
        self.workspace = workspace
        self.mode: Mode = mode
        self.experiment = experiment
        self.run = run
        self.folder: Path = workspace.runs / run
        self.folder.mkdir(parents=True, exist_ok=True)
        self._journal = open_journal(workspace, mode)
        self._warn = warn
        self._lockfile: Lockfile | None = None
        self._lock = FileLock(self.folder / "lock")
        try:
            # `ledger log` takes the lock for an instant, to see whether anybody holds it.
            self._lock.acquire(timeout=1)
        except Timeout as error:
            raise LedgerError(
                f"{run} is running in another process", hint="wait for it, or end it, then use --resume"
            ) from error
        with suppress(OSError):  # `ledger ps` then shows none
            (self.folder / "pid").write_text(str(os.getpid()))

    def environment(self, environment: Environment) -> None:
        """Store the facts of an environment and of its machine, once per digest."""
        store_environment(self._journal, environment)
        self._lockfile = environment.lockfile

    def started(self, body: Mapping[str, Json]) -> None:
        """The run begins: everything that is known before it, and what it takes to repeat it."""
        full = {**self._head(), **body, "lockfile": self._lockfile_facts(), "git": self._git(body.get("git"))}
        self._journal.append("run.started", full)

    def finished(self, body: Mapping[str, Json], samples: Sequence[LineSample] = ()) -> None:
        """The run ended and was guarded: everything that was observed, and sample lines for MLflow."""
        self._store(lambda: write_samples(self.folder, samples))
        self._journal.append("run.finished", {**self._head(), "status": "finished", **body})
        launch(self.workspace.root)

    def metric(self, name: str, value: float | None, step: int) -> None:
        """One point of a series, for MLflow; nothing where there is no number."""
        if value is not None and math.isfinite(value):
            point = MetricPoint(name, value, time.time_ns() // 1_000_000, step)
            self._store(lambda: append_points(self.folder, [point]))

    def failed(self, reason: str, seconds: float, report: Report | None = None) -> None:
        """The run broke off with an error that was told to the user; `--resume` takes it up again.

        `report` is what the guards say of it as far as it went.
        """
        # The failure may be a full disk, on which this too fails: the run then shows as interrupted.
        with suppress(OSError, LedgerError):
            body: dict[str, Json] = {**self._head(), "status": "failed", "seconds": seconds, "error": reason}
            if report is not None:
                body["report"] = report.to_json()
            self._journal.append("run.finished", body)
        launch(self.workspace.root)

    def discard(self) -> None:
        """Preflight refused after all: nothing was recorded, and nothing shall lie about."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def shown(self, path: Path) -> str:
        """A path as the record names it: relative to the repository where it lies inside."""
        return relative_if_inside(path, self.workspace.root)

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the run's lock."""
        self._lock.release()

    def _git(self, state: Json) -> Json:
        """The git state with what is not committed, kept beside the run. A disk without room ends no run."""
        if not state or not state.get("changed"):
            return state
        try:
            return {**state, **keep(self.workspace.root, self.folder, ignore=[self.workspace.journal])}
        except (OSError, LedgerError) as error:
            return {**state, "patch": None, "patch_refused": str(error).splitlines()[0]}

    def _lockfile_facts(self) -> dict[str, Json] | None:
        if self._lockfile is None:
            return None
        return {"path": self.shown(self._lockfile.path), "digest": self._lockfile.digest}

    def _head(self) -> dict[str, Json]:
        return {"run": self.run, "experiment": self.experiment, "mode": self.mode}

    def _store(self, write: Callable[[], None]) -> None:
        """Write what only MLflow shows. The journal has the run, so a full disk does not end it here."""
        try:
            write()
        except OSError as error:
            self._warn(f"{self.run} will be incomplete in MLflow: {error.strerror}; the journal has it")


def store_environment(journal: Journal, environment: Environment) -> None:
    """Store the facts of an environment and of its machine in a journal that does not have them yet."""
    for digest, facts in (
        (environment.digest, environment.facts),
        (environment.machine_digest, environment.machine),
    ):
        journal.append_once("environment", {"digest": digest, "facts": facts}, "digest")


def git_facts(state: object) -> dict[str, Json] | None:
    """A git state as the journal holds it; None where there is no repository."""
    if not isinstance(state, GitState):
        return None
    return {"commit": state.commit, "branch": state.branch, "changed": list(state.changed)}
