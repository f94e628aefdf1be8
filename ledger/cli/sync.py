"""`ledger sync`: send to MLflow what is queued, and report what could not be sent."""

from typing import TYPE_CHECKING

import click

from ledger.cli.output import console, echo, emit, json_option
from ledger.errors import Exit
from ledger.utils.plural import count

if TYPE_CHECKING:
    from pathlib import Path

    from ledger.findings import Json


@click.command("sync")
@json_option
def command(as_json: bool) -> int:
    """Send to MLflow what has not been sent yet.

    Every run is sent in the background; this command is for what a dead server left behind. What cannot be
    sent stays queued. The store is MLFLOW_TRACKING_URI, or SQLite under .ledger/.

    \b
    ledger sync
    MLFLOW_TRACKING_URI=http://mlflow.lab:5000 ledger sync
    """
    from ledger.workspace import Workspace

    summary = send_with_progress(Workspace.find().root)
    unsent = sum(run["unsent"] for run in summary["runs"])
    if as_json:
        emit({**summary, "unsent": unsent}, as_json)
    else:
        echo(*_lines(summary, unsent))
    return Exit.NOT_DONE if unsent else Exit.PASSED


def send_with_progress(root: "Path") -> "dict[str, Json]":
    """Send what is queued, with a progress bar on stderr; return the sender's summary."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from ledger.tracking.sender import send_now

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("events"))
    with Progress(*columns, console=console(stderr=True), transient=True) as progress:
        task = progress.add_task("connecting to the store", total=None)

        def show(message: "dict[str, Json]") -> None:
            if "waiting" in message:
                echo("another sender is active; waiting for it", err=True)
            else:
                progress.update(
                    task, description=message["run"], completed=message["sent"], total=message["of"]
                )

        return send_now(root, show)


def _lines(summary: "dict[str, Json]", unsent: int) -> list[str]:
    runs = summary["runs"]
    waiting = [run for run in runs if run["unsent"]]
    lines = [line for run in runs for line in _run_lines(run)]
    if waiting:
        lines.append(
            f"{count(len(waiting), 'run')} with {count(unsent, 'event')} unsent to "
            f"{summary['destination']}; they stay queued, send them with: ledger sync"
        )
    elif runs:
        lines.append(f"all sent to {summary['destination']}")
    else:
        lines.append(f"nothing to send to {summary['destination']}")
    return lines


def _run_lines(run: "dict[str, Json]") -> list[str]:
    counts = f"{run['sent']} sent" + (f", {run['unsent']} unsent" if run["unsent"] else "")
    why = f": {run['error']}" if run["error"] else ""
    return [f"{run['run']}  {counts}{why}", *(f"  lost: {what}" for what in run["lost"])]
