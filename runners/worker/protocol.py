"""What parent and worker say to each other: jobs on stdin, events on stdout, one JSON object a line.

A job is `{"job": kind, ...}`. Its events: any number of `progress` and `notice`, then a `result` or `error`.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, TextIO

PROGRESS_EVERY = 0.1  # seconds; a terminal needs no more


class Events:
    """Where a job reports to, from any thread. Every method writes one line and flushes it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last_progress = 0.0
        self._one_at_a_time = threading.Lock()

    def send(self, event: str, **fields: Any) -> None:
        """Write one event."""
        line = json.dumps({"event": event, **fields}) + "\n"
        with self._one_at_a_time:
            self._stream.write(line)
            self._stream.flush()

    def progress(self, stage: str, done: int, total: int, rate: float | None = None) -> None:
        """How far a stage is; `rate` is what it does in a second. Left out when the last one was just now."""
        now = time.monotonic()
        if done in {0, total} or now - self._last_progress >= PROGRESS_EVERY:
            self._last_progress = now
            self.send("progress", stage=stage, done=done, total=total, rate=rate)

    def notice(self, message: str) -> None:
        """Something that a person should be told, and that stops nothing."""
        self.send("notice", message=message)


def log(text: str) -> None:
    """Write to the worker's log, if that can be: it lies on the disk that may be full."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def take_stdout() -> Events:
    """Keep stdout for events alone: what libraries print goes to stderr from now on."""
    private = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return Events(os.fdopen(private, "w", encoding="utf-8", buffering=1))


def read_jobs(stream: TextIO) -> Iterator[Mapping[str, Any]]:
    """The jobs that the parent sends, until it closes the stream."""
    for line in stream:
        if line.strip():
            yield json.loads(line)
