"""Errors meant for the user: a message, a hint about what to do next, and an exit code.

Any other exception is a bug; `ledger.cli.boundary` turns both into output and an exit code.
"""

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ledger.findings import Report


class Exit(IntEnum):
    """The command contract's exit codes."""

    PASSED = 0
    FINDINGS = 1
    USAGE = 2
    NOT_DONE = 3
    BUG = 4
    INTERRUPTED = 130


class LedgerError(Exception):
    """Something could not be done: missing or malformed input, no space, a process that died.

    The message is one sentence about what is wrong; `hint` is one sentence about what to do next.
    """

    exit_code: Exit = Exit.NOT_DONE

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class RunFailedError(LedgerError):
    """A run failed; `report` is the guards' report on it as far as it got."""

    def __init__(self, message: str, *, hint: str, run: str, report: "Report") -> None:
        super().__init__(message, hint=hint)
        self.run = run
        self.report = report


class UsageError(LedgerError):
    """The call itself is wrong: an argument, a name or a spec."""

    exit_code = Exit.USAGE
