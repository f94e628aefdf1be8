"""Progress: the value that runners report, and its display on standard error."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from ledger.utils.escape import visible

PLAIN_EVERY = 10.0  # seconds between lines if standard error is not a terminal


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` units in one stage; `rate` is in units per second, None if unknown."""

    stage: str
    done: int
    total: int
    rate: float | None = None

    @property
    def seconds_left(self) -> float | None:
        """The time left at this rate; None if the rate is unknown."""
        return (self.total - self.done) / self.rate if self.rate else None


@contextmanager
def show_progress(
    unit: str = "sentences", stream: TextIO | None = None
) -> Iterator[Callable[[Progress], None]]:
    """Yield a function that shows a Progress: a bar on a terminal, a line every few seconds elsewhere."""
    target = stream or sys.stderr
    if target.isatty():
        with _bar(unit, target) as draw:
            yield draw
    else:
        yield _PlainLines(unit, target)


@contextmanager
def _bar(unit: str, stream: TextIO) -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console
    from rich.markup import escape as rich_escape
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[state]}"),
    )
    with Bars(*columns, console=Console(file=stream)) as bars:
        tasks = {}

        def draw(progress: Progress) -> None:
            if progress.stage not in tasks:
                tasks[progress.stage] = bars.add_task(rich_escape(visible(progress.stage)), state="")
            state = describe_rate(progress, unit)
            bars.update(tasks[progress.stage], completed=progress.done, total=progress.total, state=state)

        yield draw


def describe_rate(progress: Progress, unit: str) -> str:
    """Rate and time left, like `12.3 sentences/s, 0:04:10 left`; empty if the rate is unknown."""
    if not progress.rate:
        return ""
    minutes, seconds = divmod(round(progress.seconds_left or 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{progress.rate:.1f} {unit}/s, {hours}:{minutes:02}:{seconds:02} left"


class _PlainLines:
    """Prints a line at the start and end of a stage, and every few seconds in between."""

    def __init__(self, unit: str, stream: TextIO) -> None:
        self._unit, self._stream = unit, stream
        self._stage = ""
        self._last = 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        is_due = progress.stage != self._stage or progress.done == progress.total
        if is_due or now - self._last >= PLAIN_EVERY:
            self._stage, self._last = progress.stage, now
            state = describe_rate(progress, self._unit)
            text = f"{progress.stage}: {progress.done}/{progress.total}" + (f", {state}" if state else "")
            print(visible(text), file=self._stream, flush=True)
