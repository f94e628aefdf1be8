import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from ledger.errors import LedgerError
from runners.host.worker_process import Worker, tail
from runners.worker.messages import Event, GetReady, Job, ReadyResult


class Dance(Job[ReadyResult]):
    """A job that no worker knows."""

    JOB = "dance"
    RESULT = ReadyResult


def fake(tmp_path: Path, body: str) -> Path:
    """An interpreter that is a shell script: how a worker that is out of order looks to the parent."""
    path = tmp_path / "python"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def test_a_job_that_the_worker_does_not_know_leaves_it_alive(tmp_path: Path) -> None:
    with Worker(Path(sys.executable), tmp_path / "worker.log") as worker:
        for _ in range(2):
            with pytest.raises(LedgerError, match="no job 'dance'"):
                worker.call(Dance())
        pid = worker.pid
    assert not psutil.pid_exists(pid)
    assert "Traceback" in (tmp_path / "worker.log").read_text(), "the log keeps the whole story"


def test_the_worker_starts_without_ledger_in_sight(tmp_path: Path) -> None:
    """-I ignores the caller's folder and variables, -S site-packages, and ledger with them."""
    bare = fake(tmp_path, f'for bootstrap; do :; done; exec {sys.executable} -I -S "$bootstrap"')
    with Worker(bare, tmp_path / "worker.log") as worker, pytest.raises(LedgerError, match="no job"):
        worker.call(Dance())


def test_a_worker_that_reports_nothing_is_ended(tmp_path: Path) -> None:
    body = 'read job; echo \'{"event": "notice", "message": "a"}\'; exec sleep 60'
    heard: list[Event] = []
    with (
        Worker(fake(tmp_path, body), tmp_path / "worker.log") as worker,
        pytest.raises(LedgerError, match=r"reported nothing for 0\.5 seconds"),
    ):
        worker.call(GetReady(), heard.append, silence=0.5)
    assert len(heard) == 1


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("exit 7", "exit code 7"),
        ("kill -9 $$", "ran out of memory"),
        ("kill -SEGV $$", "SIGSEGV"),
        ("read job; echo 'the last words' >&2; exit 1", "exit code 1"),
    ],
)
def test_a_worker_that_dies_is_told_of_with_its_last_words(tmp_path: Path, body: str, says: str) -> None:
    with Worker(fake(tmp_path, body), tmp_path / "worker.log") as worker:
        time.sleep(0.1)
        with pytest.raises(LedgerError, match=says) as caught:
            worker.call(GetReady())
    assert "worker.log" in caught.value.hint
    assert ("the last words" in caught.value.hint) == ("last words" in body)


def test_an_interpreter_that_is_not_there(tmp_path: Path) -> None:
    worker = Worker(tmp_path / "nothing", tmp_path / "worker.log")
    with pytest.raises(LedgerError, match="cannot run the experiment's Python"):
        worker.__enter__()


NOISY = """
import os, runpy, sys, threading
threading.Timer(0.3, lambda: (print("noise"), os.write(1, b"more"))).start()
runpy.run_path(sys.argv[-1], run_name="__main__")
"""


def test_what_a_library_prints_does_not_disturb_the_events(tmp_path: Path) -> None:
    (tmp_path / "noisy.py").write_text(NOISY)
    noisy = fake(tmp_path, f'exec {sys.executable} -P {tmp_path}/noisy.py "$@"')
    with Worker(noisy, tmp_path / "worker.log") as worker:
        for pause in (0.0, 0.6):
            time.sleep(pause)
            with pytest.raises(LedgerError, match="no job"):
                worker.call(Dance())
    log = (tmp_path / "worker.log").read_text()
    assert "noise" in log
    assert "more" in log


def call_until_interrupted(stubborn: Path, log: Path, pids: list[int]) -> None:
    with Worker(stubborn, log) as worker:
        pids.append(worker.pid)
        # Python has no handler of its own where it was started with SIGINT ignored.
        signal.signal(signal.SIGALRM, lambda *_: signal.default_int_handler(signal.SIGINT, None))
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        worker.call(GetReady())


def test_an_interrupt_in_the_parent_ends_a_busy_worker(tmp_path: Path) -> None:
    stubborn = fake(tmp_path, "trap '' INT TERM; read job; cat >/dev/null; exit 0")
    pids: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        call_until_interrupted(stubborn, tmp_path / "worker.log", pids)
    assert not psutil.pid_exists(pids[0])


def test_an_interrupt_from_the_terminal_does_not_reach_the_worker(tmp_path: Path) -> None:
    with Worker(Path(sys.executable), tmp_path / "worker.log") as worker:
        with pytest.raises(LedgerError):
            worker.call(Dance())
        os.kill(worker.pid, signal.SIGINT)
        with pytest.raises(LedgerError, match="no job"):
            worker.call(Dance())


def test_tail_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert tail(log) == []
    log.write_bytes(b"\xff\n" + b"".join(f"line {n}\n\n".encode() for n in range(5000)))
    assert tail(log, 2) == ["line 4998", "line 4999"]
