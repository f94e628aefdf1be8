"""The worker's life: take jobs one after the other until the parent closes stdin or is gone."""

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
from runners.worker.protocol import Events, log, read_jobs, take_stdout


def main() -> None:
    """Serve jobs for ever; the thread that reads stdin ends the process."""
    events = take_stdout()
    # Ctrl-C reaches the whole foreground group; the parent decides, and then closes stdin.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    jobs: queue.Queue[Mapping[str, Any]] = queue.Queue()
    threading.Thread(target=_read_until_the_end, args=(jobs,), daemon=True).start()
    while True:
        serve(jobs.get(), events)


def serve(job: Mapping[str, Any], events: Events) -> None:
    """Do one job; whatever it raises becomes an `error` event, with the traceback in the log."""
    try:
        result = find_job(str(job.get("job")))(job, events)
        events.send("result", **result)
    except BrokenPipeError:
        os._exit(0)  # nobody listens any more
    except Exception as error:
        log(traceback.format_exc())
        known = explain(error)
        events.send("error", kind=known.kind, message=known.message, hint=known.hint)


def _read_until_the_end(jobs: "queue.Queue[Mapping[str, Any]]") -> None:
    """Queue jobs; at the end of stdin leave at once, in the middle of a job too.

    The end comes when the parent is done, or was killed: then nobody may go on generating.
    """
    try:
        for job in read_jobs(sys.stdin):
            jobs.put(job)
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
