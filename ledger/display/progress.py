"""Progress: the value that runners report, and its display on standard error."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TextIO

from ledger.utils.escape import visible

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

BAR, MOST_KEPT = 20, 12  # cells of the bar, and lines about checkpoints in a block
PLAIN_EVERY = 10.0  # seconds between lines if standard error is not a terminal


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` units in one stage; `rate` is in units per second, None if unknown.

    `detail` is another fact about the stage, such as the loss.
    """

    stage: str
    done: int
    total: int
    rate: float | None = None
    detail: str = ""

    @property
    def seconds_left(self) -> float | None:
        """The time left at this rate; None if the rate is unknown."""
        return (self.total - self.done) / self.rate if self.rate else None


@contextmanager
def show_progress(
    unit: str = "sentences", stream: TextIO | None = None
) -> Iterator[Callable[[Progress], None]]:
    """Yield a function that shows a Progress: a block on a terminal, a line every few seconds elsewhere."""
    with Block("", stream) as block, block.progress(unit) as show:
        yield show


class Block:
    """What a command is doing: one block on a terminal, refreshed in place and gone at the end, else lines.

    The first line appears when the block is entered, before anything slow.
    """

    def __init__(self, title: str, stream: TextIO | None = None) -> None:
        self._title, self._stream = visible(title), stream or sys.stderr
        self._live: Live | None = None
        self._began = time.monotonic()
        self._now = Progress("preparing", 0, 1)
        self._unit = ""
        self._kept: list[str] = []
        self._plain = _PlainLines(self._stream)

    def __enter__(self) -> "Block":
        if self._stream.isatty():
            from rich.console import Console
            from rich.live import Live

            console = Console(file=self._stream)
            self._live = Live(
                console=console, get_renderable=self._drawn, transient=True, refresh_per_second=8
            )
            self._live.start(refresh=True)
        elif self._title:
            print(f"{self._title}: preparing", file=self._stream, flush=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def keep(self, lines: Sequence[str]) -> bool:
        """Show these lines in the block from now on; False where there is no block."""
        self._kept += map(visible, lines)
        return self._live is not None

    @contextmanager
    def progress(self, unit: str) -> Iterator[Callable[[Progress], None]]:
        """Yield a function that shows a Progress, counted in `unit`, until the context is left."""
        self._unit = unit

        def show(progress: Progress) -> None:
            self._now = progress
            if self._live is None:
                self._plain.show(progress, unit)

        yield show
        self._now = replace(self._now, stage="finishing", rate=None, detail="")

    def _drawn(self) -> "RenderableType":
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        now = self._now
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        counted = f"{now.done:,}/{now.total:,}" if now.total > 1 else ""
        facts = (visible(now.stage), counted, visible(now.detail), describe_rate(now, self._unit))
        row = Table.grid(padding=(0, 2))
        head = Text(
            f"{self._title}  {minutes}:{seconds:02}" if self._title else f"{minutes}:{seconds:02}", "bold"
        )
        bar = [ProgressBar(now.total, now.done, width=BAR)] if now.total > 1 else []
        row.add_row(head, *bar, Text("  ".join(filter(None, facts)), overflow="fold"))
        return Group(
            row, *(Text(f"  {line}", overflow="ellipsis", no_wrap=True) for line in self._kept[-MOST_KEPT:])
        )


def describe_rate(progress: Progress, unit: str) -> str:
    """Rate and time left, like `12.3 sentences/s, 0:04:10 left`; empty if the rate is unknown."""
    if not progress.rate:
        return ""
    minutes, seconds = divmod(round(progress.seconds_left or 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{progress.rate:.1f} {unit}/s, {hours}:{minutes:02}:{seconds:02} left"


class _PlainLines:
    """Prints a line at the start and end of each stage, each once, and every few seconds in between."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._printed: set[str] = set()
        self._stage = ""
        self._last = 0.0

    def show(self, progress: Progress, unit: str) -> None:
        now = time.monotonic()
        single = progress.total <= 1  # nothing to count: its start is all there is to say
        is_due = progress.stage != self._stage or (progress.done == progress.total and not single)
        if not is_due and (single or now - self._last < PLAIN_EVERY):
            return
        counted = "" if single else f": {progress.done}/{progress.total}"
        facts = [progress.stage + counted, progress.detail, describe_rate(progress, unit)]
        text = visible(", ".join(filter(None, facts)))
        self._stage, self._last = progress.stage, now
        if text not in self._printed:
            self._printed.add(text)
            print(text, file=self._stream, flush=True)
