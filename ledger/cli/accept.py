"""`ledger accept`: accept a finding and record why."""

import click

from ledger.cli import complete
from ledger.cli.output import echo, emit, json_option


@click.command("accept")
@click.argument("run", shell_complete=complete.runs)
@click.argument("code", shell_complete=complete.codes)
@click.option("--why", required=True, help="The reason.")
@json_option
def command(run: str, code: str, why: str, as_json: bool) -> None:
    """Accept one finding of one run, and record who accepted it and why.

    RUN is a run id, the beginning of one, or an experiment for its latest run. The finding stays in the
    journal but no longer fails the run.

    \b
    ledger accept exp7 DUP001 --why "the two specs are meant to be equal"
    """
    from ledger.commands.accept import accept
    from ledger.workspace import Workspace

    done = accept(Workspace.find(), run, code, why)
    one = done.acceptance
    document = {
        "run": done.run.id,
        "code": one.code,
        "why": one.why,
        "who": one.who,
        "time": one.time,
        "entry": done.entry,
        "verdict": done.run.verdict,
    }
    verdict = f"; the run's verdict is now {done.run.verdict}" if done.run.verdict else ""
    state = "accepted" if done.entry else "was already accepted"
    text = f"{one.code} of {done.run.id} {state} by {one.who}: {one.why}{verdict}"
    if as_json:
        emit(document, as_json)
    else:
        echo(text)
