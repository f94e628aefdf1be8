"""The sender's process, `python -m ledger.tracking.sender ROOT`, and the two ways to start it.

`launch` starts it detached, after a run; `send_now` starts it and shows its progress, for `ledger sync`. The
caller never imports MLflow, and what MLflow prints goes to the sender's log alone.
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
from ledger.tracking.request import is_served, request_file
from ledger.tracking.status import tracking_folder
from ledger.utils import own_packages
from ledger.utils.extras import is_installed, require

LOG = "sender.log"
LOG_BYTES = 1_000_000
LINGER_SECONDS = 30.0
"""How long a sender waits for the next run before it ends: importing MLflow costs 2 to 3 s of CPU time."""


def launch(root: Path) -> None:
    """Have everything sent by a sender in a session of its own; return at once, in a few milliseconds.

    A sender that is still waiting for requests serves this one, else one is started. It outlives the caller
    and never disturbs it: its errors are in the status and in the log. With LEDGER_SEND=never in the
    environment, or without MLflow, nothing is started, and the run stays queued for `ledger sync`.
    """
    if os.environ.get("LEDGER_SEND") == "never" or not is_installed("mlflow"):
        return
    with suppress(OSError), _open_log(root) as log:
        request = request_file(root, os.environ)
        request.touch()
        if not is_served(request):
            command = [*_command(root), "--linger", str(LINGER_SECONDS)]
            subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=root, start_new_session=True
            )


def send_now(root: Path, on_progress: Callable[[dict[str, Json]], None]) -> dict[str, Json]:
    """Run a sender to its end, passing on its progress; return its summary.

    Progress is `{"waiting": true}` while another sender is active, and `{"run", "sent", "of"}` in events.
    Raises LedgerError when MLflow is not installed, or the sender ended without a summary.
    """
    require("mlflow")
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
            f"the sender ended early with exit code {process.returncode}",
            hint=f"see its log: {tracking_folder(root) / LOG}",
        )
    return summary


def main() -> int:
    """Send what is queued in the repository given; 3 when something is still unsent."""
    parser = argparse.ArgumentParser(prog="python -m ledger.tracking.sender", description=__doc__)
    parser.add_argument("root", type=Path, help="the repository")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--foreground", action="store_true", help="report on stdout; wait for another sender")
    how.add_argument("--linger", type=float, metavar="SECONDS", help="serve requests until none came so long")
    arguments = parser.parse_args()
    request = request_file(arguments.root, os.environ)
    os.environ.update(mlflow_environment(os.environ))
    _log_to_stderr()
    if not arguments.foreground:
        os.nice(10)
    from ledger.tracking.delivery import Delivery

    report = _line_printer() if arguments.foreground else _no_report
    delivery = Delivery(find_destination(arguments.root), report)
    if arguments.linger is None:
        delivery.run(wait=arguments.foreground)
    else:
        delivery.serve(request, arguments.linger)
    report(delivery.summary())
    unsent = any(result.unsent for result in delivery.results.values())
    return Exit.NOT_DONE if unsent else Exit.PASSED


def _command(root: Path) -> list[str]:
    return [*own_packages.command("ledger.tracking.sender"), str(root)]


@contextmanager
def _open_log(root: Path) -> Iterator[IO[bytes]]:
    """The log, open for appending. A log that has grown large is first renamed to `sender.log.1`."""
    path = tracking_folder(root) / LOG
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
    """Reserve stdout for our lines: what MLflow prints there goes to stderr from here on."""
    stdout = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def print_line(message: dict[str, Json]) -> None:
        # The reader may be gone; sending goes on.
        with suppress(BrokenPipeError):
            print(json.dumps(message), file=stdout, flush=True)

    return print_line


def _no_report(message: dict[str, Json]) -> None:
    """Nobody reads the output of a detached sender; it writes a status file."""


if __name__ == "__main__":
    sys.exit(main())
