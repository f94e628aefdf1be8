"""`ledger skip`: the decision not to run an experiment, on the record."""

from dataclasses import asdict

import click

from ledger.cli import complete
from ledger.cli.output import emit, json_option


@click.command("skip")
@click.argument("experiment", shell_complete=complete.experiments)
@click.option("--why", required=True, help="The reason, for those who would run it after all.")
@json_option
def command(experiment: str, why: str, as_json: bool) -> None:
    """Decide not to run EXPERIMENT, on the record.

    ledger log and every report list it as skipped, with the reason, until somebody runs it after all.

    \b
    ledger skip exp2 --why "batch size changes speed, not text: measured with exp1"
    """
    from ledger.commands.note import skip
    from ledger.workspace import Workspace

    done = skip(Workspace.find(), experiment, why)
    if as_json:
        emit(asdict(done), as_json)
    else:
        click.echo(f"{done.experiment} is skipped, says {done.who}: {done.why}")
