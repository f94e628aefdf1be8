"""How far something is: the value that runners report, and how it is drawn on standard error."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

PLAIN_EVERY = 10.0  # seconds between lines where standard error is no terminal


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` in one stage; `rate` is what it does in a second, None where that is not known."""

    stage: str
    done: int
    total: int
    rate: float | None = None

    @property
    def seconds_left(self) -> float | None:
        """The time left at this rate; None where the rate is not known."""
        return (self.total - self.done) / self.rate if self.rate else None


@contextmanager
def show_progress(
    unit: str = "sentences", stream: TextIO | None = None
) -> Iterator[Callable[[Progress], None]]:
    """Give a function that draws each Progress: a bar on a terminal, now and then a line elsewhere."""
    target = stream or sys.stderr
    if target.isatty():
        with _bar(unit, target) as draw:
            yield draw
    else:
        yield _PlainLines(unit, target)


@contextmanager
def _bar(unit: str, stream: TextIO) -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console
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
                tasks[progress.stage] = bars.add_task(progress.stage, state="")
            state = describe_rate(progress, unit)
            bars.update(tasks[progress.stage], completed=progress.done, total=progress.total, state=state)

        yield draw


def describe_rate(progress: Progress, unit: str) -> str:
    """Rate and time left, like `12.3 sentences/s, 0:04:10 left`; empty where the rate is not known."""
    if not progress.rate:
        return ""
    minutes, seconds = divmod(round(progress.seconds_left or 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{progress.rate:.1f} {unit}/s, {hours}:{minutes:02}:{seconds:02} left"


class _PlainLines:
    """Says a stage's beginning and end, and every few seconds how far it is."""

    def __init__(self, unit: str, stream: TextIO) -> None:
        self._unit, self._stream = unit, stream
        self._stage = ""
        self._last = 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        is_news = progress.stage != self._stage or progress.done == progress.total
        if is_news or now - self._last >= PLAIN_EVERY:
            self._stage, self._last = progress.stage, now
            state = describe_rate(progress, self._unit)
            text = f"{progress.stage}: {progress.done}/{progress.total}" + (f", {state}" if state else "")
            print(text, file=self._stream, flush=True)
