"""How an attached process and the ledger exchange messages: through files in the run's folder.

The process appends events to `events.jsonl`, one JSON object a line; the ledger creates the file `stop`.
`attach.log` has the tracebacks of what failed here.
"""

import json
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from runners.worker.layout import PROGRESS, SNAPSHOTS, STOP
from runners.worker.messages import Event, Skipped, Unverified, to_line
from runners.worker.training.reporter import TrainingReporter

EVENTS, LOG, STOP_AT = "events.jsonl", "attach.log", "stop-at"
VARIABLE = "LEDGER_ATTACH"  # of the environment: the run's folder; `startup.sitecustomize` reads it, too
RUN = "attach.json"  # {"run", "environment", "python"}: written by the ledger for the processes


class Channel(TrainingReporter):
    """Reports to the ledger. No method raises for a full disk or a folder that was deleted."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        super().__init__(self.folder / PROGRESS, self.folder / STOP)
        known: dict[str, Any] = {}
        with suppress(OSError, ValueError):
            known = json.loads((self.folder / RUN).read_text(encoding="utf-8"))
        is_same = known.get("python") == sys.executable
        self.run: str | None = known.get("run")
        self.environment: str | None = known.get("environment") if is_same else None

    @property
    def snapshots(self) -> Path:
        """Where checkpoints are linked, so that they survive the program's deletions."""
        return self.folder / SNAPSHOTS

    def send(self, event: Event) -> None:
        """Append one event, in one write: processes and threads share the file."""
        line = to_line(event)
        with suppress(OSError):
            file = os.open(self.folder / EVENTS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                os.write(file, line.encode())
            finally:
                os.close(file)

    def write_step(self, step: int) -> None:
        """Store the current step, which is read after a crash. It never decreases."""
        with suppress(OSError, ValueError, AttributeError, TypeError):
            before = json.loads((self.folder / PROGRESS).read_text(encoding="utf-8"))
            step = max(step, int(before.get("step", 0)))
        with suppress(OSError):
            super().write_step(step)

    def report_unverified(self, step: int, folder: Path, reason: str) -> None:
        """Report a checkpoint that only the program itself can reload."""
        self.send(Unverified(reason, step, folder))

    @contextmanager
    def safely(self, what: str) -> Iterator[None]:
        """Report an error in this block as a skip of `what`, and let the program go on."""
        try:
            yield
        except Exception as error:
            message = " ".join(str(error).split())[:300]
            self.send(Skipped(f"{what}: {type(error).__name__}: {message}"))
            self.log_failure()

    def log_failure(self) -> None:
        """Write the current traceback to the log, since the terminal belongs to the program."""
        with suppress(OSError), (self.folder / LOG).open("a", encoding="utf-8") as log:
            traceback.print_exc(file=log)

    def agree_to_stop_at(self, step: int) -> None:
        """Set the step at which all processes of a training end: otherwise one would wait forever."""
        with suppress(OSError), (self.folder / STOP_AT).open("x", encoding="utf-8") as file:
            file.write(str(step))

    def reset_agreement(self) -> None:
        """Remove the agreement of an earlier training."""
        with suppress(OSError):
            (self.folder / STOP_AT).unlink(missing_ok=True)

    def stops_at(self) -> int | None:
        """The step that was agreed on; None without an agreement."""
        try:
            return int((self.folder / STOP_AT).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
