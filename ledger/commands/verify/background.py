"""Verifying saves beside the training that makes them: in another process, at low priority, one by one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from ledger.checkpoints.folders import list_checkpoints
from ledger.checkpoints.marks import read_mark, stated_mark, write_mark
from ledger.commands.verify.record import record
from ledger.commands.verify.values import VerificationContext, VerificationResult
from ledger.commands.verify.verify import verify_checkpoint
from ledger.errors import LedgerError
from runners.host.training import SavedCheckpoint
from runners.host.worker_process import Worker

NICE = 10  # the training has the first claim on the processor


@dataclass(frozen=True, slots=True)
class CheckpointVerification:
    """What became of one save; `error` says why it could not be verified at all."""

    saved: SavedCheckpoint
    verified: VerificationResult | None = None
    error: LedgerError | None = None


class BackgroundVerifier:
    """Takes saves and tells what became of each, in their order. A context manager.

    A worker that dies (killed, or out of memory) is replaced once for each save. Leaving the context drops
    what has not been begun.
    """

    def __init__(
        self,
        interpreter: Path,
        log: Path,
        setting: VerificationContext,
        tell: Callable[[CheckpointVerification | Exception], None],
    ) -> None:
        self._interpreter, self._log, self._setting, self._tell = interpreter, log, setting, tell
        self._pool = ThreadPoolExecutor(1)
        self._worker: Worker | None = None
        self._closed = False
        self._changing = Lock()  # a worker is started in the pool and ended from outside

    def __enter__(self) -> "BackgroundVerifier":
        """Start the worker, which has its libraries loaded by the time of the first save."""
        self._pool.submit(self._get_ready)
        return self

    def __exit__(self, *error: object) -> None:
        """End the worker, whatever it is doing."""
        with self._changing:
            self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._drop()
        self._pool.shutdown()

    @property
    def pid(self) -> int | None:
        """The process id of the worker; None while there is none."""
        return self._worker.pid if self._worker else None

    def take(self, saved: SavedCheckpoint) -> None:
        """Verify this save when those before it are done."""
        self._pool.submit(lambda: self._tell(self._judge_or_say_why(saved)))

    def _get_ready(self) -> None:
        with suppress(LedgerError):  # the first save will tell, and try again
            self._running().call({"job": "get_ready"})

    def _judge_or_say_why(self, saved: SavedCheckpoint) -> "CheckpointVerification | Exception":
        """A bug must reach the one who waits: left in the pool, the verdict would be waited for ever."""
        try:
            return self._judge(saved)
        except Exception as error:
            return error

    def _judge(self, saved: SavedCheckpoint) -> CheckpointVerification:
        for last_try in (False, True):
            try:
                return CheckpointVerification(
                    saved, verify_checkpoint(self._running(), self._setting, saved.snapshot)
                )
            except (LedgerError, OSError) as error:
                self._drop()
                known = error if isinstance(error, LedgerError) else LedgerError(str(error))
                if last_try:
                    return CheckpointVerification(saved, error=known)
        raise AssertionError("unreachable")

    def _running(self) -> Worker:
        with self._changing:
            if self._closed:
                raise LedgerError("the verification was ended")
            if self._worker is None:
                self._worker = Worker(self._interpreter, self._log, nice=NICE).__enter__()
            return self._worker

    def _drop(self) -> None:
        with self._changing:
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.__exit__(None, None, None)


def record_checkpoint(
    setting: VerificationContext, judged: CheckpointVerification, say: Callable[[str], None]
) -> VerificationResult | None:
    """Journal the verdict and mark the save, and its snapshot where that is kept for a resume.

    Returns None where it could not be verified.
    """
    saved, verified = judged.saved, judged.verified
    if verified is None:
        return None
    place = saved.folder if saved.folder.is_dir() else saved.snapshot  # deleted by save_total_limit meanwhile
    done = record(setting, verified, say, place)
    if done.marked and place != saved.snapshot and (mark := stated_mark(place)):
        with suppress(OSError, LedgerError):
            write_mark(saved.snapshot, mark)
    return replace(done, checkpoint=saved.folder)


def newest_of(*folders: Path) -> Path | None:
    """The checkpoint of the highest step whose mark holds, in any of the folders; the first wins a tie."""
    found = [
        (int(path.name.rpartition("-")[2]), -rank, path)
        for rank, folder in enumerate(folders)
        for path in list_checkpoints(folder)
        if read_mark(path)
    ]
    return max(found)[2] if found else None
