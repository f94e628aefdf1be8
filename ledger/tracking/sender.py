"""The sender's process: `python -m ledger.tracking.sender ROOT`, and the two ways to start it.

`launch` starts it detached, after a run; `send_now` starts it and watches, for `ledger sync`. Light: the
caller never imports MLflow, and MLflow's chatter goes to the sender's log alone.
"""

import argparse
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from ledger.errors import Exit, LedgerError
from ledger.findings import Json
from ledger.tracking.destination import find_destination, mlflow_environment
from ledger.tracking.status import spool_folder

LOG = "sender.log"
LOG_BYTES = 1_000_000


def launch(root: Path) -> None:
    """Start a sender in a session of its own and return at once, in a few milliseconds.

    It outlives the caller and never disturbs it: what goes wrong is in the spool's status and log. Two at
    once are fine, as the second leaves the work to the first. With LEDGER_SEND=never in the environment
    nothing is started, and what was queued waits for `ledger sync`.
    """
    if os.environ.get("LEDGER_SEND") == "never":
        return
    with suppress(OSError), _open_log(root) as log:
        subprocess.Popen(
            _command(root), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=root, start_new_session=True
        )


def send_now(root: Path, on_progress: Callable[[dict[str, Json]], None]) -> dict[str, Json]:
    """Run a sender to its end, passing on its progress; return its summary.

    Progress is `{"waiting": true}` while another sender is at work, and `{"run", "sent", "of"}` in lines of
    the spool. Raises LedgerError when the sender broke off without a summary.
    """
    spool_folder(root).mkdir(parents=True, exist_ok=True)
    summary: dict[str, Json] | None = None
    with _open_log(root) as log:
        process = subprocess.Popen(
            [*_command(root), "--foreground"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=root,
        )
        with process:
            assert process.stdout is not None
            for line in process.stdout:
                message = json.loads(line)
                if "runs" in message:
                    summary = message
                else:
                    on_progress(message)
    if summary is None:
        raise LedgerError(
            f"the sender broke off with exit code {process.returncode}",
            hint=f"its log says why: {spool_folder(root) / LOG}",
        )
    return summary


def main() -> int:
    """Send what waits in the spool of the repository given; 3 when something still waits."""
    parser = argparse.ArgumentParser(prog="python -m ledger.tracking.sender", description=__doc__)
    parser.add_argument("root", type=Path, help="the repository")
    parser.add_argument("--foreground", action="store_true", help="report on stdout; wait for another sender")
    arguments = parser.parse_args()
    os.environ.update(mlflow_environment(os.environ))
    _log_to_stderr()
    if not arguments.foreground:
        os.nice(10)
    from ledger.tracking.delivery import Delivery

    report = _line_printer() if arguments.foreground else _say_nothing
    delivery = Delivery(find_destination(arguments.root), report)
    delivery.run(wait=arguments.foreground)
    report(delivery.summary())
    unsent = any(result.unsent for result in delivery.results.values())
    return Exit.NOT_DONE if unsent else Exit.PASSED


def _command(root: Path) -> list[str]:
    # -P: the repository may hold a folder called `mlflow`, which must not be imported for the library.
    return [sys.executable, "-P", "-m", "ledger.tracking.sender", str(root)]


@contextmanager
def _open_log(root: Path) -> Iterator[IO[bytes]]:
    """The log, open for appending; the one before it is kept beside it when it has grown large."""
    path = spool_folder(root) / LOG
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_name(f"{LOG}.1"))
    with path.open("ab") as log:
        yield log


def _log_to_stderr() -> None:
    from ledger.tracking.errors import scrub_text

    class Scrubbing(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return scrub_text(super().format(record))

    handler = logging.StreamHandler()
    handler.setFormatter(Scrubbing("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.captureWarnings(True)


def _line_printer() -> Callable[[dict[str, Json]], None]:
    """Keep stdout for our lines alone: MLflow prints there too, and from here on to stderr."""
    stdout = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def print_line(message: dict[str, Json]) -> None:
        # The watcher may be gone; what is under way is finished all the same.
        with suppress(BrokenPipeError):
            print(json.dumps(message), file=stdout, flush=True)

    return print_line


def _say_nothing(message: dict[str, Json]) -> None:
    """Nobody watches a detached sender: its status file speaks for it."""


if __name__ == "__main__":
    sys.exit(main())
