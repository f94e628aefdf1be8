"""`ledger reproduce`: repeat a run and compare the results."""

import click

from ledger.cli import complete
from ledger.cli.output import emit, exit_for, json_option


@click.command("reproduce")
@click.argument("run", shell_complete=complete.runs)
@click.option(
    "--env",
    "environment",
    metavar="NAME",
    shell_complete=complete.lockfiles,
    help="Use the environment of another lockfile.",
)
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change one value of the spec; repeatable."
)
@json_option
def command(run: str, environment: str | None, overrides: tuple[str, ...], as_json: bool) -> int:
    """Repeat RUN at its commit, with its uncommitted changes, environment and data, and compare.

    RUN is a run id, the beginning of one, or an experiment for its latest run. Missing prerequisites are
    listed before anything runs. Only the journal changes in the repository: it gets an entry.

    \b
    ledger reproduce exp7-3fa91c
    ledger reproduce exp7 --env mt-5.0.0
    ledger reproduce exp7 --set generation.batch_size=4
    """
    from ledger.cli.run import TerminalReporter
    from ledger.commands.reproduce.display import view
    from ledger.commands.reproduce.reproduce import reproduce
    from ledger.workspace import Workspace

    done = reproduce(Workspace.find(), run, TerminalReporter(), overrides=overrides, environment=environment)
    emit(done.to_json(), as_json, *([] if as_json else view(done)))
    return exit_for(done.report)
