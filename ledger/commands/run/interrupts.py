"""Signals that end a run, whatever handling this process has inherited.

A shell starts background jobs with SIGINT ignored, and some CI systems start everything so. Python then
raises no KeyboardInterrupt, and every process that it starts ignores SIGINT as well.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
OTHERS = (signal.SIGUSR1, signal.SIGUSR2)  # with which schedulers announce the end of a job


@contextmanager
def interruptible(on_signal: Callable[[int], bool] | None = None) -> Iterator[None]:
    """Inside the context the signals that ask to end raise KeyboardInterrupt.

    Processes are started with SIGINT at its default. `on_signal` is called first, for those of schedulers as
    well; where it returns True, nothing is raised. SIGHUP stays ignored under nohup. Outside the main thread,
    which alone may handle signals, nothing changes.
    """
    if current_thread() is not main_thread():
        yield
        return

    def handle(number: int, _: object) -> None:
        handled = on_signal is not None and on_signal(number)
        if not handled and number in ENDING:
            raise KeyboardInterrupt

    numbers = {*ENDING, *(OTHERS if on_signal else ())}
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        numbers.remove(signal.SIGHUP)
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
