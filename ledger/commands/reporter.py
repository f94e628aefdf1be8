"""How a command reports what it is doing. Its result is its return value."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from ledger.display.progress import Progress
from ledger.findings import Report


class Reporter(Protocol):
    """Receives messages: prints them to standard error in the command line, collects them in a test."""

    def say(self, text: str) -> None:
        """Report one line."""

    def checkpoint(self, lines: Sequence[str]) -> None:
        """Report the verdict on a checkpoint: one line, then one for each error."""

    def preflight(self, report: Report) -> None:
        """Report the findings of preflight, before anything runs."""

    def progress(self, unit: str) -> AbstractContextManager[Callable[[Progress], None]]:
        """A callback for each Progress while the context is open; `unit` is what is counted."""
        ...
