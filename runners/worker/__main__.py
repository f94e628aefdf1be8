"""The worker process: does jobs one after the other until the parent closes stdin or ends."""

import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Mapping
from typing import Any

from runners.worker.error_messages import explain
from runners.worker.jobs import find_job
from runners.worker.messages import JOBS, Failure, from_json
from runners.worker.protocol import Events, log, read_jobs, take_stdout


def main() -> None:
    """Serve jobs until the thread that reads stdin ends the process."""
    events = take_stdout()
    # Ctrl-C reaches the whole foreground group; the parent decides, and then closes stdin.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    jobs: queue.Queue[Mapping[str, Any]] = queue.Queue()
    threading.Thread(target=_read_jobs, args=(jobs,), daemon=True).start()
    while True:
        serve(jobs.get(), events)


def serve(job: Mapping[str, Any], events: Events) -> None:
    """Do one job; whatever it raises becomes a `Failure`, with the traceback in the log."""
    try:
        kind = str(job.get("job"))
        do = find_job(kind)
        events.send(do(from_json(JOBS[kind], job), events))
    except BrokenPipeError:
        os._exit(0)  # the parent has closed the pipe
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic in a library that is written in Rust is no Exception
        log(traceback.format_exc())
        known = explain(error)
        events.send(Failure(known.kind, known.message, known.hint))


def _read_jobs(jobs: "queue.Queue[Mapping[str, Any]]") -> None:
    """Queue jobs; at the end of stdin exit at once, even in the middle of a job.

    Stdin ends when the parent is done or was killed: no job may outlive it.
    """
    try:
        for job in read_jobs(sys.stdin):
            jobs.put(job)
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
