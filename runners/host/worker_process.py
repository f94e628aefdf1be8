"""The parent's end of a worker: start it, send it jobs, read its events, end it.

The parent imports neither torch nor transformers; the worker runs under the experiment's interpreter.
"""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from ledger.errors import LedgerError
from ledger.utils.redaction import scrub_file

Event = dict[str, Any]

BOOTSTRAP = Path(__file__).parents[1] / "worker" / "bootstrap.py"
PATIENCE = 5.0  # seconds that a worker gets to leave by itself
LOG_TAIL = 5  # lines of the worker's log that a message shows
LOG_READ = 8192  # bytes of the log that are looked at for them


class WorkerDiedError(LedgerError):
    """The worker died over a job; `signal` is the one that killed it, `said` the end of its log."""

    def __init__(self, message: str, *, hint: str, signal: int | None = None, said: str = "") -> None:
        super().__init__(message, hint=hint)
        self.signal = signal
        self.said = said

    def resumable(self) -> LedgerError:
        """The same, for a job that a run can take up again."""
        return LedgerError(self.message, hint=f"continue with --resume; {self.hint}")


class Worker:
    """A process that does jobs one after the other, so that importing transformers is paid for once.

    A context manager: leaving it ends the process, whatever it is doing. What libraries print goes to `log`.
    `nice` is how much it gives way to others, as in nice(1).
    """

    def __init__(self, interpreter: Path, log: Path, *, nice: int = 0) -> None:
        self.interpreter = interpreter
        self._log = log
        self._nice = nice
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
                hint="make the environment again, or name another interpreter",
            ) from error
        if self._nice:
            with suppress(ProcessLookupError, PermissionError):
                os.setpriority(os.PRIO_PROCESS, self.pid, self._nice)  # before it has threads of its own
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self.close()

    def close(self) -> None:
        """Close its stdin, which ends it, whatever it is doing; kill it where that does not help."""
        if self._process is None:
            return
        with suppress(BrokenPipeError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
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

    def request(self, job: Mapping[str, Any]) -> Iterator[Event]:
        """Send one job and yield its events, the last of which is the `result`.

        Raises LedgerError when the job cannot be done, or the worker dies over it.
        """
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(job) + "\n")
            process.stdin.flush()
        except BrokenPipeError:
            raise self._death() from None
        for line in process.stdout:
            if not line.endswith("\n"):
                break  # killed in the middle of a word
            event: Event = json.loads(line)
            if event["event"] == "error":
                raise LedgerError(event["message"], hint=self._hint(event["hint"]))
            yield event
            if event["event"] == "result":
                return
        raise self._death()

    def call(self, job: Mapping[str, Any], on_event: Callable[[Event], None] | None = None) -> Event:
        """Send one job, hand every event on the way to `on_event`, and return the result."""
        for event in self.request(job):
            if event["event"] == "result":
                return event
            if on_event is not None:
                on_event(event)
        raise self._death()

    def _running(self) -> "subprocess.Popen[str]":
        if self._process is None:
            raise RuntimeError("the worker is not running: use it inside its `with` block")
        return self._process

    def _hint(self, hint: str) -> str:
        return hint or f"the worker's log: {self._log}"

    def _death(self) -> WorkerDiedError:
        process = self._running()
        try:
            code = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            return WorkerDiedError("the worker process fell silent", hint=f"its log is {self._log}")
        if code == -signal.SIGKILL:
            why = "was killed (signal 9), most often because the machine ran out of memory"
        elif code < 0:
            named = -code in set(signal.Signals)
            why = f"died of signal {-code} ({signal.Signals(-code).name if named else 'real-time'})"
        else:
            why = f"ended by itself with exit code {code}"
        last = tail(self._log)
        return WorkerDiedError(
            f"the worker process {why}",
            hint=f"its log is {self._log}" + (f" and ends: {' | '.join(last)}" if last else ""),
            signal=-code if code < 0 else None,
            said="\n".join(last),
        )


def tail(log: Path, lines: int = LOG_TAIL) -> list[str]:
    """The last lines of a log that are not blank."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - LOG_READ))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return []
    return [line.strip() for line in text.splitlines() if line.strip()][-lines:]
