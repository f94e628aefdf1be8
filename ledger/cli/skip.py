"""`ledger skip`: record the decision not to run an experiment."""

from dataclasses import asdict

import click

from ledger.cli import complete
from ledger.cli.output import echo, emit, json_option


@click.command("skip")
@click.argument("experiment", shell_complete=complete.experiments)
@click.option("--why", required=True, help="The reason.")
@json_option
def command(experiment: str, why: str, as_json: bool) -> None:
    """Record the decision not to run EXPERIMENT.

    ledger log and every report list it as skipped, with the reason, until it is run.

    \b
    ledger skip exp2 --why "batch size changes speed, not text: measured with exp1"
    """
    from ledger.commands.note import skip
    from ledger.workspace import Workspace

    done = skip(Workspace.find(), experiment, why)
    if as_json:
        emit(asdict(done), as_json)
    else:
        echo(f"{done.experiment} skipped by {done.who}: {done.why}")
