"""The parent's end of a worker: starts it, sends jobs, reads events, ends it.

The parent imports neither torch nor transformers; the worker runs under the experiment's interpreter.
"""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import TypeVar, cast

from ledger.display.progress import Progress
from ledger.errors import LedgerError
from ledger.utils.redaction import scrub_file
from runners.worker import messages
from runners.worker.messages import Event, Failure, Job, Result, to_event, to_line

R = TypeVar("R", bound=Result)

BOOTSTRAP = Path(__file__).parents[1] / "worker" / "bootstrap.py"
EXIT_TIMEOUT = 5.0  # seconds for a worker to end by itself
LOG_TAIL = 5  # lines of the worker's log in a message
LOG_READ = 8192  # bytes at the end of the log that are read for them


class WorkerDiedError(LedgerError):
    """The worker died during a job; `signal` is the one that killed it, `last_words` the end of its log."""

    def __init__(self, message: str, *, hint: str, signal: int | None = None, last_words: str = "") -> None:
        super().__init__(message, hint=hint)
        self.signal = signal
        self.last_words = last_words

    def resumable(self) -> LedgerError:
        """The same error, for a job that can be resumed."""
        return LedgerError(self.message, hint=f"continue with --resume; {self.hint}")


class Worker:
    """A process that does jobs one after the other, so that transformers is imported only once.

    A context manager: leaving it ends the process, even in the middle of a job. The output of libraries goes
    to `log`. `nice` lowers its priority, as in nice(1).
    """

    def __init__(self, interpreter: Path, log: Path, *, nice: int = 0) -> None:
        self.interpreter = interpreter
        self._log = log
        self._nice = nice
        self._ended_after: float | None = None  # seconds of silence that ended it
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Worker":
        """Start the process. Raises LedgerError when the interpreter cannot be run."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        command = [str(self.interpreter), "-P", "-X", "utf8", str(BOOTSTRAP)]
        try:
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, encoding="utf-8"
                )
        except (FileNotFoundError, PermissionError) as error:
            if Path(str(error.filename)) != self.interpreter:
                raise
            raise LedgerError(
                f"cannot run the experiment's Python: {self.interpreter}: {error.strerror}",
                hint="build the environment again, or name another interpreter",
            ) from error
        if self._nice:
            with suppress(ProcessLookupError, PermissionError):
                os.setpriority(os.PRIO_PROCESS, self.pid, self._nice)  # before it starts threads
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self.close()

    def close(self) -> None:
        """Close its stdin, which ends it even in the middle of a job; kill it if that does not help."""
        if self._process is None:
            return
        with suppress(BrokenPipeError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        try:
            self._process.wait(EXIT_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None
        with suppress(OSError):
            scrub_file(self._log)

    @property
    def pid(self) -> int:
        """The process id of the running worker."""
        return self._running().pid

    def request(self, job: Job[R]) -> Iterator[Event]:
        """Send one job and yield its events, the last of which is its result.

        Raises LedgerError when the job cannot be done, or the worker dies.
        """
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(to_line(job))
            process.stdin.flush()
        except BrokenPipeError:
            raise self._death() from None
        for line in process.stdout:
            if not line.endswith("\n"):
                break  # killed in the middle of a line
            event = to_event(line, job.RESULT)
            if isinstance(event, Failure):
                raise LedgerError(event.message, hint=self._hint(event.hint))
            yield event
            if isinstance(event, Result):
                return
        raise self._death()

    def call(
        self, job: Job[R], on_event: Callable[[Event], None] | None = None, silence: float | None = None
    ) -> R:
        """Send one job, pass its events to `on_event`, and return the result; see `request`.

        A worker that reports nothing for `silence` seconds is ended.
        """
        with self._watched(silence) as heard:
            for event in self.request(job):
                heard()
                if isinstance(event, Result):
                    return cast("R", event)
                if on_event is not None:
                    on_event(event)
        raise self._death()

    @contextmanager
    def _watched(self, silence: float | None) -> Iterator[Callable[[], None]]:
        """Kill the process when what is yielded has not been called for `silence` seconds."""
        if silence is None:
            yield lambda: None
            return
        process, timer = self._running(), Timer(0, lambda: None)

        def end() -> None:
            self._ended_after = silence
            process.kill()

        def start() -> None:
            nonlocal timer
            timer.cancel()
            timer = Timer(silence, end)
            timer.daemon = True
            timer.start()

        start()
        try:
            yield start
        finally:
            timer.cancel()

    def _running(self) -> "subprocess.Popen[str]":
        if self._process is None:
            raise RuntimeError("the worker is not running: use it inside its `with` block")
        return self._process

    def _hint(self, hint: str) -> str:
        return hint or f"the worker's log: {self._log}"

    def _death(self) -> WorkerDiedError:
        process = self._running()
        try:
            code = process.wait(EXIT_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            return WorkerDiedError("the worker process stopped responding", hint=f"its log is {self._log}")
        if self._ended_after is not None:
            reason = f"was ended, since it reported nothing for {self._ended_after:g} seconds"
        elif code == -signal.SIGKILL:
            reason = "was killed (signal 9), most often because the machine ran out of memory"
        elif code < 0:
            known = -code in set(signal.Signals)
            reason = f"was ended by signal {-code} ({signal.Signals(-code).name if known else 'real-time'})"
        else:
            reason = f"ended with exit code {code}"
        last = tail(self._log)
        return WorkerDiedError(
            f"the worker process {reason}",
            hint=f"its log is {self._log}" + (f" and ends: {' | '.join(last)}" if last else ""),
            signal=-code if code < 0 else None,
            last_words="\n".join(last),
        )


def progress_only(show: Callable[[Progress], None]) -> Callable[[Event], None]:
    """An `on_event` that passes on progress."""

    def on_event(event: Event) -> None:
        if isinstance(event, messages.Progress):
            show(shown(event))

    return on_event


def shown(progress: messages.Progress) -> Progress:
    """A worker's progress as the ledger displays it."""
    return Progress(progress.stage, progress.done, progress.total, progress.rate)


def tail(log: Path, lines: int = LOG_TAIL) -> list[str]:
    """The last lines of a log, without blank ones."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - LOG_READ))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return []
    return [line.strip() for line in text.splitlines() if line.strip()][-lines:]
