"""Worker processes that tests share: an import of torch and transformers costs more than most jobs.

A pooled process does jobs of one kind, for tests with the same environment variables. It goes back to the
pool only when its last job has ended. Tests that assert something about the process of a reload, that it is
a new one, are marked `own_worker`.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from ledger.errors import LedgerError
from runners.host.worker_process import Event, Worker, WorkerDiedError
from runners.worker.messages import Job, Result

GENERATION = frozenset({"dump_defaults", "generate", "probe_codes", "rehearse"})
TRAINING = frozenset({"probe_training", "train"})
FORECASTING = frozenset({"forecast"})
RELOADING = frozenset({"get_ready", "probe_checkpoint"})
JOBS_OF_A_PROCESS = 40  # what a library does not release does not add up

Process = subprocess.Popen[str]
Key = tuple[Path, frozenset[str], frozenset[tuple[str, str]]]


class Pool:
    """Idle worker processes, by interpreter, kinds of jobs and environment variables."""

    def __init__(self) -> None:
        self._idle: dict[Key, list[Process]] = {}
        self._jobs: dict[int, int] = {}
        self._leased: dict[int, Key] = {}

    def swap(self, own: Process, key: Key) -> Process:
        """An idle process in exchange for one that has done nothing, else that one, now shared."""
        idle = self._idle.get(key, [])
        while idle:
            process = idle.pop()
            if process.poll() is None:
                end(own)
                self._leased[process.pid] = key
                return process
        self._leased[own.pid] = key
        return own

    def give_back(self, process: Process) -> bool:
        """Whether the process is kept for the next test."""
        key = self._leased.pop(process.pid, None)
        self._jobs[process.pid] = self._jobs.get(process.pid, 0) + 1
        if key is None or process.poll() is not None or self._jobs[process.pid] >= JOBS_OF_A_PROCESS:
            return False
        self._idle.setdefault(key, []).append(process)
        return True

    def close(self) -> None:
        """End every idle process."""
        for processes in self._idle.values():
            for process in processes:
                end(process)
        self._idle.clear()


def end(process: Process) -> None:
    """Close its stdin, which ends a worker."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.wait(30)
    process.stdout.close()


@contextmanager
def shared(pool: Pool, kinds: tuple[frozenset[str], ...]) -> Iterator[None]:
    """Let every `Worker` of this process do jobs of these kinds in a process of the pool."""
    request, close = Worker.request, Worker.close
    busy: set[int] = set()

    def pooled_request(worker: Worker, job: Job[Any]) -> Iterator[Event]:
        own = worker._running()
        if own.pid not in pool._leased and not hasattr(worker, "was_used"):
            for kind in kinds:
                if job.JOB in kind:
                    variables = frozenset(item for item in os.environ.items() if matters(item[0]))
                    worker._process = own = pool.swap(own, (worker.interpreter, kind, variables))
        worker.was_used = True  # type: ignore[attr-defined]
        busy.add(own.pid)
        try:
            for event in request(worker, job):
                if isinstance(event, Result):
                    busy.discard(own.pid)
                yield event
        except WorkerDiedError:
            raise
        except LedgerError:  # the job failed, and the process waits for the next
            busy.discard(own.pid)
            raise

    def pooled_close(worker: Worker) -> None:
        process = worker._process
        if process is not None and process.pid not in busy and pool.give_back(process):
            worker._process = None
        close(worker)

    with mock.patch.multiple(Worker, request=pooled_request, close=pooled_close):
        yield


def matters(variable: str) -> bool:
    """Whether a worker might read it."""
    return not variable.startswith(("PYTEST_", "LEDGER_SEND"))
