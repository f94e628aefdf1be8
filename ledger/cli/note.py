"""`ledger note`: record a conclusion, a lesson or a doubt."""

from dataclasses import asdict

import click

from ledger.cli import complete
from ledger.cli.output import echo, emit, json_option


@click.command("note")
@click.argument("about", metavar="RUN|EXPERIMENT", shell_complete=complete.runs_and_experiments)
@click.argument("text")
@json_option
def command(about: str, text: str, as_json: bool) -> None:
    """Record TEXT about one run or a whole experiment.

    ledger show and every report include it. It cannot be deleted; add another note to correct it.

    \b
    ledger note exp7 "the same model as exp5 under another name: nothing new was measured"
    ledger note exp9-3fa91c "beams 5 is slower and no better"
    """
    from ledger.commands.note import note
    from ledger.workspace import Workspace

    done = note(Workspace.find(), about, text)
    if as_json:
        emit(asdict(done), as_json)
    else:
        echo(f"noted about {done.run or done.experiment} by {done.who}: {done.text}")
