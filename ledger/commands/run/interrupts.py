"""Signals that end a run, whatever handling this process has inherited.

A shell starts background jobs with SIGINT ignored, and some CI systems start everything so. Python then
raises no KeyboardInterrupt, and every process that it starts ignores SIGINT as well.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread


@contextmanager
def interruptible(terminate: Callable[[], bool] | None = None) -> Iterator[None]:
    """Inside the context SIGINT raises KeyboardInterrupt, and processes are started with it at its default.

    `terminate` is called on SIGTERM; where it returns False, that raises KeyboardInterrupt as well. Outside
    the main thread, which alone may handle signals, nothing changes.
    """
    if current_thread() is not main_thread():
        yield
        return

    def on_terminate(*_: object) -> None:
        if terminate is not None and not terminate():
            raise KeyboardInterrupt

    before = {}
    if signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, signal.SIG_DFL):
        before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
    if terminate is not None:
        before[signal.SIGTERM] = signal.signal(signal.SIGTERM, on_terminate)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
