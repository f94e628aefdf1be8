"""How a flow tells people what it is doing while it does it. What it found at the end is its return value."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from ledger.display.progress import Progress
from ledger.findings import Report


class Reporter(Protocol):
    """Where news goes: the terminal's standard error in the command, a list in a test."""

    def say(self, text: str) -> None:
        """Tell one line."""

    def preflight(self, report: Report) -> None:
        """Tell what preflight found, before anything runs."""

    def progress(self, unit: str) -> AbstractContextManager[Callable[[Progress], None]]:
        """Something to call with each Progress, while it is open; `unit` is what is counted."""
        ...
