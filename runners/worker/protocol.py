"""The worker's end of its pipes: jobs on stdin, events on stdout, one message of `messages` a line.

The events of a job: any number of `Progress`, `Notice` and others, then a result or a `Failure`.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, TextIO

from runners.worker.messages import Event, Notice, Progress, to_line

PROGRESS_EVERY = 0.1  # seconds; a terminal needs no more


class Events:
    """Writes a job's events, from any thread. Every method writes one line and flushes it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last_progress = 0.0
        self._one_at_a_time = threading.Lock()

    def send(self, event: Event) -> None:
        """Write one event."""
        line = to_line(event)
        with self._one_at_a_time:
            self._stream.write(line)
            self._stream.flush()

    def progress(self, stage: str, done: int, total: int, rate: float | None = None) -> None:
        """Report progress, at most every 0.1 s but for the start and the end of a stage; see `Progress`."""
        now = time.monotonic()
        if done in {0, total} or now - self._last_progress >= PROGRESS_EVERY:
            self._last_progress = now
            self.send(Progress(stage, done, total, rate))

    def notice(self, message: str) -> None:
        """Report something to the user that does not stop the job."""
        self.send(Notice(message))


def log(text: str) -> None:
    """Write to the worker's log, where possible: its disk may be full."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def take_stdout() -> Events:
    """Reserve stdout for events: what libraries print goes to stderr from now on."""
    private = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return Events(os.fdopen(private, "w", encoding="utf-8", buffering=1))


def read_jobs(stream: TextIO) -> Iterator[Mapping[str, Any]]:
    """The jobs that the parent sends, until it closes the stream."""
    for line in stream:
        if line.strip():
            yield json.loads(line)
