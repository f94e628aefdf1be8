"""The command's process. What asks the ledger to end asks the command as well, and it cannot outlive that."""

import os
import signal
import stat
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Timer
from typing import TextIO

import psutil

from ledger.commands.run.interrupts import ENDING
from ledger.errors import LedgerError

GRACE = 30.0  # seconds to end after a signal, as SLURM waits before it kills
POLL = 0.05


class Child:
    """One command. `signal` is the first that asked it to end, such as SIGTERM.

    In the foreground of a terminal it shares the ledger's process group: it can read, and Ctrl-C reaches it
    by itself. Elsewhere it has a group of its own, so that each signal reaches it once.
    """

    def __init__(self, grace: float = GRACE) -> None:
        self.signal: signal.Signals | None = None
        self._grace = grace
        self._foreground = _in_foreground()
        self._process: subprocess.Popen[bytes] | None = None
        self._known: dict[int, psutil.Process] = {}
        self._deadline = 0.0
        self._over = False

    def start(
        self, argv: Sequence[str], variables: Mapping[str, str], output: TextIO | None, lock: int
    ) -> "subprocess.Popen[bytes]":
        """Start the command. It keeps `lock` open, so that the run counts as alive while it lives."""
        group = None if self._foreground else 0
        try:
            self._process = subprocess.Popen(
                argv, env={**os.environ, **variables}, stdout=output, process_group=group, pass_fds=(lock,)
            )
        except OSError as error:
            raise LedgerError(f"{argv[0]} could not be started: {error.strerror}") from error
        return self._process

    def on_signal(self, number: int) -> bool:
        """Pass the signal to the command; False if none is running, so that the ledger itself ends."""
        if self._over:
            return True  # it is being recorded, which takes no time
        if number == signal.SIGHUP:
            _leave_terminal()
        if self._process is None or self._process.returncode is not None:
            return False
        again = self.signal is not None
        if number in ENDING and not again:
            self.signal = signal.Signals(number)
            self._deadline = time.monotonic() + self._grace
        if self._foreground and number == signal.SIGINT:
            if not again:
                return True  # the terminal has sent it to the command as well
            number = signal.SIGTERM
        if number not in ENDING:  # they end a process that does not expect them
            self._process.send_signal(number)
            return True
        self._send(number)
        if not again:
            timer = Timer(self._grace, self._send, (signal.SIGKILL,))
            timer.daemon = True
            timer.start()
        return True

    @property
    def is_urgent(self) -> bool:
        """Whether the ledger will itself be killed soon: there is time to record, but not to verify."""
        return self.signal not in (None, signal.SIGINT)

    def close(self) -> None:
        """After the command has ended: end what is left of it, if it was asked to end."""
        self._over = True
        while self.signal and self._remaining() and time.monotonic() < self._deadline:
            time.sleep(POLL)
        for process in self._remaining() if self.signal else ():
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def _send(self, number: int) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(psutil.NoSuchProcess):
            root = psutil.Process(process.pid)
            self._known |= {one.pid: one for one in (root, *root.children(recursive=True))}
        if not self._foreground:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            return
        for one in self._remaining():
            with suppress(psutil.NoSuchProcess):
                one.send_signal(number)

    def _remaining(self) -> list[psutil.Process]:
        return [one for one in self._known.values() if _lives(one)]


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _in_foreground() -> bool:
    """Whether this process is in the foreground of a terminal, which sends Ctrl-C to its whole group."""
    with suppress(OSError):
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
        try:
            return os.tcgetpgrp(terminal) == os.getpgrp()
        finally:
            os.close(terminal)
    return False


def _leave_terminal() -> None:
    """Write nowhere from now on, where the terminal is gone: an error would end the record."""
    for number in (1, 2):
        with suppress(OSError):
            if stat.S_ISCHR(os.fstat(number).st_mode):
                nowhere = os.open(Path(os.devnull), os.O_WRONLY)
                os.dup2(nowhere, number)
                os.close(nowhere)
