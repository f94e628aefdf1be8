"""What an attached process and the ledger say to each other, through files in the run's folder.

`events.jsonl` goes one way, one JSON object a line; the file `stop` goes the other. `attach.log` keeps the
tracebacks of what failed here.
"""

import json
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

EVENTS, LOG, STOP, STOP_AT, SNAPSHOTS = "events.jsonl", "attach.log", "stop", "stop-at", "snapshots"
VARIABLE = "LEDGER_ATTACH"  # of the environment: the run's folder; `startup.sitecustomize` reads it, too
RUN = "attach.json"  # {"run", "environment", "python"}: what the ledger tells of the run
PROGRESS = "progress.json"


class Channel:
    """The way to the ledger. No method raises for a disk that is full or a folder that is gone."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        told: dict[str, Any] = {}
        with suppress(OSError, ValueError):
            told = json.loads((self.folder / RUN).read_text(encoding="utf-8"))
        self.run: str | None = told.get("run")
        self.environment: str | None = (
            told.get("environment") if told.get("python") == sys.executable else None
        )

    @property
    def snapshots(self) -> Path:
        """Where saves are linked, so that they outlive what the program deletes."""
        return self.folder / SNAPSHOTS

    def send(self, event: str, **fields: Any) -> None:
        """One event, in one write: processes and threads share the file."""
        line = json.dumps({"event": event, **fields}) + "\n"
        with suppress(OSError):
            file = os.open(self.folder / EVENTS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                os.write(file, line.encode())
            finally:
                os.close(file)

    def tell_step(self, step: int) -> None:
        """The step that the training is past, for whoever looks after a crash. Never goes back."""
        with suppress(OSError, ValueError, AttributeError, TypeError):
            before = json.loads((self.folder / PROGRESS).read_text(encoding="utf-8"))
            step = max(step, int(before.get("step", 0)))
        from runners.worker.generation.shards import write_atomically

        with suppress(OSError):
            write_atomically(self.folder / PROGRESS, json.dumps({"step": step}).encode())

    @contextmanager
    def safely(self, what: str) -> Iterator[None]:
        """Whatever fails in this block is told as a skip of `what`, and the program goes on."""
        try:
            yield
        except Exception as error:
            message = " ".join(str(error).split())[:300]
            self.send("skip", reason=f"{what}: {type(error).__name__}: {message}")
            self.note_failure()

    def note_failure(self) -> None:
        """The traceback of what is being handled goes to the log: the terminal is the program's."""
        with suppress(OSError), (self.folder / LOG).open("a", encoding="utf-8") as log:
            traceback.print_exc(file=log)

    def asked_to_stop(self) -> bool:
        """Whether the ledger wants the training to end."""
        return (self.folder / STOP).exists()

    def agree_to_stop_at(self, step: int) -> None:
        """Tell all processes of one training when to end: together, or one would wait for ever."""
        with suppress(OSError), (self.folder / STOP_AT).open("x", encoding="utf-8") as file:
            file.write(str(step))

    def reset_agreement(self) -> None:
        """A training that begins has agreed on nothing yet."""
        with suppress(OSError):
            (self.folder / STOP_AT).unlink(missing_ok=True)

    def stops_at(self) -> int | None:
        """The step that was agreed on."""
        try:
            return int((self.folder / STOP_AT).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
