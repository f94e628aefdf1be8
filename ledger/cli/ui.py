"""`ledger ui`: MLflow's pages on the recorded runs."""

from typing import TYPE_CHECKING, NoReturn

import click

from ledger.cli.output import echo, emit, json_option
from ledger.utils.plural import count

if TYPE_CHECKING:
    from ledger.tracking.destination import Destination


@click.command("ui")
@click.option("--host", default="127.0.0.1", show_default=True, help="The interface to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=5000, show_default=True, help="The port.")
@json_option
def command(host: str, port: int, as_json: bool) -> None:
    """Open MLflow's pages on the recorded runs.

    First sends what is not sent yet. Then serves the store until Ctrl-C or, if MLFLOW_TRACKING_URI is a
    server already, prints its address.

    \b
    ledger ui
    ledger ui --port 5001
    """
    from ledger.tracking.destination import find_destination
    from ledger.workspace import Workspace

    destination = find_destination(Workspace.find().root)
    if not destination.is_http:
        _check_port(host, port)
    _sync(destination)
    address = destination.shown if destination.is_http else f"http://{host}:{port}"
    note = "" if destination.is_http else " (Ctrl-C ends it)"
    if as_json:
        emit({"address": address, "destination": destination.shown}, as_json)
    else:
        echo(f"MLflow: {address}{note}")
    if not destination.is_http:
        _serve(destination, host, port, as_json)


def _sync(destination: "Destination") -> None:
    """Send what is queued. What cannot be sent is reported, and does not stop the command."""
    from ledger.cli.sync import send_with_progress

    for run in send_with_progress(destination.root)["runs"]:
        if run["error"]:
            echo(f"{run['run']}: {count(run['unsent'], 'event')} unsent: {run['error']}", err=True)


def _check_port(host: str, port: int) -> None:
    """Raise an error if the server could not listen: MLflow would report that in a page of traceback."""
    import socket

    from ledger.errors import LedgerError, UsageError

    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise UsageError(f"unknown host {host!r}", hint="the usual host is 127.0.0.1") from error
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise LedgerError(
                f"cannot listen on {host}:{port}: {error.strerror}",
                hint="choose another port with: ledger ui --port",
            ) from error


def _serve(destination: "Destination", host: str, port: int, as_json: bool) -> NoReturn:
    """Become `mlflow ui`. It runs in `.ledger/`, so that it writes nothing among tracked files."""
    import os
    import sys

    from ledger.tracking.destination import mlflow_environment
    from ledger.utils.extras import require

    require("mlflow")
    artifacts = destination.artifacts.as_uri()
    arguments = ["--backend-store-uri", destination.uri, "--host", host, "--port", str(port)]
    arguments += ["--default-artifact-root", artifacts, "--artifacts-destination", artifacts]
    arguments += ["--workers", "1"]
    destination.artifacts.mkdir(parents=True, exist_ok=True)
    os.chdir(destination.artifacts.parent)
    sys.stdout.flush()
    if as_json:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # The JSON document is already on stdout.
    command_line = [sys.executable, "-P", "-m", "mlflow", "ui", *arguments]
    os.execve(sys.executable, command_line, mlflow_environment(os.environ))
