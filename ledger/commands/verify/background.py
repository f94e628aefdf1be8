"""Verifies checkpoints while their training runs: in another process, at low priority, one at a time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from ledger.checkpoints.folders import list_checkpoints
from ledger.checkpoints.levels import Level
from ledger.checkpoints.marks import is_verified, stated_mark, write_mark
from ledger.commands.verify.record import record
from ledger.commands.verify.values import VerificationContext, VerificationResult
from ledger.commands.verify.verify import verify_checkpoint
from ledger.errors import LedgerError
from runners.host.worker_process import Worker
from runners.worker.messages import GetReady, SavedCheckpoint

NICE = 10  # training has priority


@dataclass(frozen=True, slots=True)
class CheckpointVerification:
    """A checkpoint with the result of its verification, or the error that prevented it."""

    saved: SavedCheckpoint
    result: VerificationResult | None = None
    error: LedgerError | None = None


class BackgroundVerifier:
    """Verifies checkpoints one after the other and passes each result to `on_done`. A context manager.

    A worker that dies (killed, or out of memory) is replaced once for each checkpoint. Leaving the context
    drops what has not begun.
    """

    def __init__(
        self,
        interpreter: Path,
        log: Path,
        context: VerificationContext,
        on_done: Callable[[CheckpointVerification | Exception], None],
    ) -> None:
        self._interpreter, self._log, self._context, self._on_done = interpreter, log, context, on_done
        self._pool = ThreadPoolExecutor(1)
        self._worker: Worker | None = None
        self._closed = False
        self._lock = Lock()  # the worker is started by the pool and ended by the caller

    def __enter__(self) -> "BackgroundVerifier":
        """Start the worker, so that its libraries are loaded before the first checkpoint arrives."""
        self._pool.submit(self._warm_up)
        return self

    def __exit__(self, *error: object) -> None:
        """End the worker, even in the middle of a job."""
        with self._lock:
            self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._drop_worker()
        self._pool.shutdown()

    @property
    def pid(self) -> int | None:
        """The process id of the worker; None while there is none."""
        return self._worker.pid if self._worker else None

    def submit(self, saved: SavedCheckpoint) -> None:
        """Queue this checkpoint for verification."""
        self._pool.submit(lambda: self._on_done(self._verify_safely(saved)))

    def _warm_up(self) -> None:
        with suppress(LedgerError):  # the first checkpoint tries again, and reports it
            self._running().call(GetReady())

    def _verify_safely(self, saved: SavedCheckpoint) -> CheckpointVerification | Exception:
        """The result, or what was raised: an exception left in the pool would keep the caller waiting."""
        try:
            return self._verify(saved)
        except Exception as error:
            return error

    def _verify(self, saved: SavedCheckpoint) -> CheckpointVerification:
        for last_try in (False, True):
            try:
                result = verify_checkpoint(self._running(), self._context, saved.snapshot)
                return CheckpointVerification(saved, result)
            except (LedgerError, OSError) as error:
                self._drop_worker()
                known = error if isinstance(error, LedgerError) else LedgerError(str(error))
                if last_try:
                    return CheckpointVerification(saved, error=known)
        raise AssertionError("unreachable")

    def _running(self) -> Worker:
        with self._lock:
            if self._closed:
                raise LedgerError("the verification was ended")
            if self._worker is None:
                self._worker = Worker(self._interpreter, self._log, nice=NICE).__enter__()
            return self._worker

    def _drop_worker(self) -> None:
        with self._lock:
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()


def record_checkpoint(
    context: VerificationContext, done: CheckpointVerification, say: Callable[[str], None]
) -> CheckpointVerification:
    """Journal the verdict and mark the checkpoint, and its snapshot, which a resume may start from.

    What could not be verified is returned unchanged.
    """
    saved = done.saved
    if done.result is None:
        return done
    # save_total_limit may have deleted the folder meanwhile.
    place = saved.folder if saved.folder.is_dir() else saved.snapshot
    result = record(context, done.result, say, place)
    if result.marked and place != saved.snapshot and (mark := stated_mark(place)):
        with suppress(OSError, LedgerError):
            write_mark(saved.snapshot, mark)
    return replace(done, result=replace(result, checkpoint=saved.folder))


def newest_verified_in(*folders: Path, level: Level | None = None) -> Path | None:
    """The checkpoint with the highest step that is verified, on that level if one is asked for; of equal
    steps, that in the first folder."""
    found = [
        (int(path.name.rpartition("-")[2]), -rank, path)
        for rank, folder in enumerate(folders)
        for path in list_checkpoints(folder)
        if is_verified(path, level)
    ]
    return max(found)[2] if found else None
