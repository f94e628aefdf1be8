"""Sending passes: one sender at a time, every run tried once in each pass, every wait bounded.

Runs in the sender's process. Imports MLflow only when there is something to send.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from ledger.errors import Exit
from ledger.findings import Json
from ledger.tracking import old_spool
from ledger.tracking.destination import Destination
from ledger.tracking.errors import reason
from ledger.tracking.queue import QueuedRun, queued_runs
from ledger.tracking.request import request_lock
from ledger.tracking.status import Status, tracking_folder, write_status
from ledger.utils.times import iso_utc
from ledger.workspace import Workspace

if TYPE_CHECKING:
    from mlflow import MlflowClient

log = logging.getLogger(__name__)

LOCK = "sender.lock"
STEP_SECONDS = 120.0
"""The longest that one step may take. Importing MLflow and making its database takes 4 s on an idle machine;
what hangs (a server that trickles, a lock on a network disk) never ends by itself."""
UPLOAD_BYTES_PER_SECOND = 1e6
"""The slowest upload that counts as alive; a step that sends a file is given that much more time."""
POLL_SECONDS = 0.5
NOT_IN_JOURNAL = "its entries are not in the journal: is another branch checked out?"

Report = Callable[[dict[str, Json]], None]


@dataclass(slots=True)
class RunResult:
    """The result for one run in this process: how much was sent, is unsent and was lost, and the error."""

    run: str
    sent: int = 0
    unsent: int = 0
    lost: list[str] = field(default_factory=list)
    error: str | None = None


class Watchdog:
    """Ends the process when a step takes longer than it may: some waits of MLflow have no limit."""

    def __init__(self, expired: Callable[[float], None]) -> None:
        self._expired = expired
        self._timer: threading.Timer | None = None

    def start(self, seconds: float) -> None:
        """A step begins that may take this long."""
        self.stop()
        self._timer = threading.Timer(seconds, self._expire, [seconds])
        self._timer.daemon = True
        self._timer.start()

    def stop(self) -> None:
        """No step is in progress."""
        if self._timer:
            self._timer.cancel()

    def _expire(self, seconds: float) -> None:
        try:
            self._expired(seconds)
        finally:
            os._exit(Exit.NOT_DONE)


class Delivery:
    """Sends the runs of one repository to one destination, and collects the results."""

    def __init__(self, destination: Destination, report: Report) -> None:
        self._destination = destination
        self._report = report
        self._workspace = Workspace(destination.root)
        self._folder = tracking_folder(destination.root)
        self._watchdog = Watchdog(self._give_up)
        self._client: MlflowClient | None = None
        self._tried: dict[str, tuple[int, int]] = {}
        self.results: dict[str, RunResult] = {}

    def run(self, *, wait: bool) -> None:
        """Send until nothing new is queued. If another sender is active, wait for it or leave the work to it.

        The queue is read again after the lock is released, which is what makes leaving safe: a process that
        found the lock taken had queued its run before, so the holder finds it.
        """
        for run, unsent in old_spool.take_over(self._workspace).items():
            self.results[run] = RunResult(run, unsent=unsent, error=NOT_IN_JOURNAL)
        lock = FileLock(self._folder / LOCK)
        while self._fresh():
            try:
                lock.acquire(blocking=False)
            except Timeout:
                if not wait:
                    return
                self._report({"waiting": True})
                lock.acquire()
            try:
                self._pass(self._fresh())
            finally:
                lock.release()

    def serve(self, request: Path, linger: float) -> None:
        """Send whenever `request` was touched, until it was not for `linger` seconds.

        So runs in a row share one import of MLflow. The file is inspected again after the lock is released:
        whoever found the lock taken had touched the file before.
        """
        served = 0
        while (asked := request.stat().st_mtime_ns) != served:
            try:
                with request_lock(request).acquire(blocking=False):
                    deadline = time.monotonic() + linger
                    while time.monotonic() < deadline:
                        if asked != served:
                            self._tried.clear()
                            self.run(wait=True)
                            served, deadline = asked, time.monotonic() + linger
                        time.sleep(POLL_SECONDS)
                        asked = request.stat().st_mtime_ns
            except Timeout:
                return

    def _fresh(self) -> list[QueuedRun]:
        """The runs with something to send that were not tried as they are now.

        A run that has not ended is tried once: it may grow faster than it can be sent.
        """
        return [
            run
            for run in queued_runs(self._workspace)
            if run.size != self._tried.get(run.id)
            and not (run.is_open and run.id in self._tried)
            and run.unsent()
        ]

    def _pass(self, runs: list[QueuedRun]) -> None:
        for run in runs:
            self._tried[run.id] = run.size
            self.results[run.id] = RunResult(run.id, unsent=run.unsent())
        unreachable: str | None = None
        for run in runs:
            result = self.results[run.id]
            unreachable = unreachable or self._connect()
            result.error = unreachable or self._send(run, result)
        self._watchdog.stop()
        self._write_status()

    def _connect(self) -> str | None:
        """Make sure that the store answers, or return why it does not. Free if the last run was sent."""
        if self._client is not None:
            return None
        self._watchdog.start(STEP_SECONDS)
        try:
            from ledger.tracking.replay import connect

            self._client = connect(self._destination)
        except Exception as error:  # whatever MLflow, a database driver or the network raises
            log.warning("cannot reach %s", self._destination.shown, exc_info=True)
            return reason(error)
        return None

    def _send(self, run: QueuedRun, result: RunResult) -> str | None:
        """Send one run; return why it was not sent completely."""
        from ledger.tracking.replay import RunReplay

        assert self._client is not None
        replay = RunReplay(self._client, self._destination, run)
        total = result.unsent
        known = set(replay.sent.lost)

        def before_step(events: int, upload_bytes: int) -> None:
            self._watchdog.start(STEP_SECONDS + upload_bytes / UPLOAD_BYTES_PER_SECOND)
            self._report({"run": run.id, "sent": min(result.sent, total), "of": total})
            result.sent += events

        try:
            replay.send(before_step)
        except Exception as error:  # one run's error must not keep the others waiting
            log.warning("%s was not sent completely", run.id, exc_info=True)
            self._client = None
            return reason(error)
        finally:
            result.unsent = run.unsent()
            result.sent = max(total - result.unsent, 0)
            result.lost = [loss for loss in replay.sent.lost if loss not in known]
        return None

    def _give_up(self, seconds: float) -> None:
        why = f"no answer for {seconds:.0f} s"
        log.error("%s from %s", why, self._destination.shown)
        for result in self.results.values():
            if result.unsent and not result.error:
                result.error = why
        self._write_status()
        self._report(self.summary())

    def _write_status(self) -> None:
        errors = {result.run: result.error for result in self.results.values() if result.error}
        now = iso_utc(datetime.now(UTC), "seconds")
        try:
            write_status(self._destination.root, Status(now, self._destination.shown, errors))
        except OSError:
            log.warning("cannot write the status", exc_info=True)

    def summary(self) -> dict[str, Json]:
        """The results by run, as `ledger sync --json` shows them."""
        return {
            "destination": self._destination.shown,
            "runs": [asdict(result) for result in self.results.values()],
        }
