"""Passes over the spool: one sender at a time, every run tried once per pass, every wait bounded.

Runs in the sender's process. Imports MLflow only when something waits.
"""

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from ledger.errors import Exit
from ledger.findings import Json
from ledger.tracking.destination import Destination
from ledger.tracking.errors import reason
from ledger.tracking.spool import Spool, SpoolFile
from ledger.tracking.status import Status, spool_folder, write_status

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from ledger.tracking.upload import Batch

log = logging.getLogger(__name__)

LOCK = "sender.lock"
STEP_SECONDS = 120.0
"""The longest that one step may take. Importing MLflow and making its database takes 4 s on an idle machine;
what hangs (a server that trickles, a lock on a network disk) never ends by itself."""
UPLOAD_BYTES_PER_SECOND = 1e6
"""The slowest upload that still counts as alive; a step that sends a file gets its time on top."""

Report = Callable[[dict[str, Json]], None]


@dataclass(slots=True)
class RunResult:
    """What became of one run in this process: lines sent, lines that still wait, what was lost, and why."""

    run: str
    sent: int = 0
    unsent: int = 0
    lost: list[str] = field(default_factory=list)
    error: str | None = None


class Watchdog:
    """Ends the process when a step takes longer than it was given: some waits of MLflow know no limit."""

    def __init__(self, expired: Callable[[float], None]) -> None:
        self._expired = expired
        self._timer: threading.Timer | None = None

    def feed(self, seconds: float) -> None:
        """A step begins that may take this long."""
        self.rest()
        self._timer = threading.Timer(seconds, self._expire, [seconds])
        self._timer.daemon = True
        self._timer.start()

    def rest(self) -> None:
        """No step is under way."""
        if self._timer:
            self._timer.cancel()

    def _expire(self, seconds: float) -> None:
        try:
            self._expired(seconds)
        finally:
            os._exit(Exit.NOT_DONE)


class Delivery:
    """Sends what waits in one repository's spool, and says how it went."""

    def __init__(self, destination: Destination, report: Report) -> None:
        self._destination = destination
        self._report = report
        self._folder = spool_folder(destination.root)
        self._watchdog = Watchdog(self._give_up)
        self._client: MlflowClient | None = None
        self._tried: dict[str, int] = {}
        self.results: dict[str, RunResult] = {}

    def run(self, *, wait: bool) -> None:
        """Send until nothing new waits. Where another sender is at work: wait for it, or leave it the work.

        Looking again after the lock is released is what makes leaving safe: whoever found the lock taken
        had queued before, so the holder sees it.
        """
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

    def _fresh(self) -> list[SpoolFile]:
        """The runs that wait and were not tried as they are now."""
        return [
            file
            for file in Spool(self._folder).files()
            if file.path.stat().st_size != self._tried.get(file.run) and file.unsent()
        ]

    def _pass(self, files: list[SpoolFile]) -> None:
        for file in files:
            self._tried[file.run] = file.path.stat().st_size
            self.results[file.run] = RunResult(file.run, unsent=file.unsent())
        unreachable: str | None = None
        for file in files:
            result = self.results[file.run]
            unreachable = unreachable or self._connect()
            result.error = unreachable or self._send(file, result)
        self._watchdog.rest()
        self._write_status()

    def _connect(self) -> str | None:
        """Make sure that the store answers; or say why not. Free while the last run went well."""
        if self._client is not None:
            return None
        self._watchdog.feed(STEP_SECONDS)
        try:
            from ledger.tracking.upload import connect

            self._client = connect(self._destination)
        except Exception as error:  # whatever MLflow, a database driver or the network raises
            log.warning("cannot reach %s", self._destination.shown, exc_info=True)
            return reason(error)
        return None

    def _send(self, file: SpoolFile, result: RunResult) -> str | None:
        """Send one run; the reason when it broke off."""
        from ledger.tracking.upload import RunUpload

        assert self._client is not None
        upload = RunUpload(self._client, self._destination, file)
        total = result.unsent
        known = set(upload.sent.lost)

        def before_step(step: "Batch") -> None:
            self._watchdog.feed(STEP_SECONDS + step.upload_bytes / UPLOAD_BYTES_PER_SECOND)
            self._report({"run": file.run, "sent": result.sent, "of": total})
            result.sent += step.lines

        try:
            upload.send(before_step)
        except Exception as error:  # one run's trouble is no reason to keep the others waiting
            log.warning("%s was not sent whole", file.run, exc_info=True)
            self._client = None
            return reason(error)
        finally:
            result.unsent = file.unsent()
            result.sent = total - result.unsent
            result.lost = [loss for loss in upload.sent.lost if loss not in known]
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
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        try:
            write_status(self._destination.root, Status(now, self._destination.shown, errors))
        except OSError:
            log.warning("cannot write the status", exc_info=True)

    def summary(self) -> dict[str, Json]:
        """What was done, by run, as `ledger sync --json` shows it."""
        return {
            "destination": self._destination.shown,
            "runs": [asdict(result) for result in self.results.values()],
        }
