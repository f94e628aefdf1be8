"""Records one run: its entries in the journal, and in its folder the files that only MLflow shows."""

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
from ledger.journal.live import LiveFile
from ledger.journal.store import Journal, open_journal
from ledger.tracking.sender import launch
from ledger.tracking.series import MetricPoint, append_points, write_samples
from ledger.utils.paths import relative_if_inside
from ledger.workspace import Workspace

Mode = Literal["real", "rehearsal", "command"]


def new_run_id(experiment: str) -> str:
    """`<experiment>-<6 hex digits>`: short enough to type, and unlikely to collide."""
    return f"{experiment}-{secrets.token_hex(3)}"


class Recorder:
    """Records one run, and holds its lock, which shows other processes that the run is alive."""

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
        self.live = LiveFile(self.folder)
        self._journal = open_journal(workspace, mode)
        self._warn = warn
        self._lockfile: Lockfile | None = None
        self._lock = FileLock(self.folder / "lock")
        try:
            # `ledger log` takes the lock for an instant, to see whether it is held.
            self._lock.acquire(timeout=1)
        except Timeout as error:
            raise LedgerError(
                f"{run} is running in another process", hint="wait for it or end it, then use --resume"
            ) from error
        with suppress(OSError):  # `ledger ps` then shows no process id
            (self.folder / "pid").write_text(str(os.getpid()))

    @property
    def lock(self) -> int:
        """The open file whose lock says that the run is alive: for every process that has it open."""
        held = self._lock._context.lock_file_fd  # a process that inherits it has no other way
        assert held is not None
        return held

    def environment(self, environment: Environment) -> None:
        """Record an environment and its machine, once per digest."""
        store_environment(self._journal, environment)
        self._lockfile = environment.lockfile

    def started(self, body: Mapping[str, Json]) -> None:
        """Record the start of the run: everything known before it, and what is needed to repeat it."""
        full = {**self._head(), **body, "lockfile": self._lockfile_facts(), "git": self._git(body.get("git"))}
        self._journal.append("run.started", full)

    def finished(self, body: Mapping[str, Json], samples: Sequence[LineSample] = ()) -> None:
        """Record the end of the run: everything that was observed, and sample lines for MLflow."""
        self._store(lambda: write_samples(self.folder, samples))
        self._journal.append("run.finished", {**self._head(), "status": "finished", **body})
        launch(self.workspace.root)

    def metric(self, name: str, value: float | None, step: int) -> None:
        """Write one point of a series for MLflow; missing and infinite values are left out."""
        if value is not None and math.isfinite(value):
            point = MetricPoint(name, value, time.time_ns() // 1_000_000, step)
            self._store(lambda: append_points(self.folder, [point]))

    def failed(self, reason: str, seconds: float, report: Report | None = None) -> None:
        """Record that the run ended with an error; `--resume` can continue it.

        `report` has the findings of the guards up to then.
        """
        # The error may be a full disk, so that this fails too: the run then shows as interrupted.
        with suppress(OSError, LedgerError):
            body: dict[str, Json] = {**self._head(), "status": "failed", "seconds": seconds, "error": reason}
            if report is not None:
                body["report"] = report.to_json()
            self._journal.append("run.finished", body)
        launch(self.workspace.root)

    def discard(self) -> None:
        """Remove the folder of a run that preflight refused: nothing of it was recorded."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def shown(self, path: Path) -> str:
        """The path for the record: relative to the repository if it is inside."""
        return relative_if_inside(path, self.workspace.root)

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, *_: object) -> None:
        """Release the run's lock."""
        self.live.remove()
        self._lock.release()

    def _git(self, state: Json) -> Json:
        """The git state, with uncommitted changes saved in the run's folder, as far as the disk allows."""
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
        """Write a file that only MLflow shows. The journal has the run, so a full disk does not end it."""
        try:
            write()
        except OSError as error:
            self._warn(f"{self.run} will be incomplete in MLflow: {error.strerror}; the journal has it")


def store_environment(journal: Journal, environment: Environment) -> None:
    """Record an environment and its machine in a journal that does not have them yet."""
    for digest, facts in (
        (environment.digest, environment.facts),
        (environment.machine_digest, environment.machine),
    ):
        journal.append_once("environment", {"digest": digest, "facts": facts}, "digest")


def git_facts(state: GitState) -> dict[str, Json] | None:
    """A git state as the journal stores it; None where git could not be read."""
    if state.unread:
        return None
    return {"commit": state.commit, "branch": state.branch, "changed": list(state.changed)}
