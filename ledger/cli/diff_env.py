"""`ledger diff-env`: what differs between two environments or runs, most suspicious first."""

import click

from ledger.cli import complete
from ledger.cli.output import emit, exit_for, json_option


@click.command("diff-env")
@click.argument("names", metavar="[A] [B]", nargs=-1, shell_complete=complete.runs_or_files)
@click.option("--effective", is_flag=True, help="Also compare what defaults amount to, in both environments.")
@click.option("--api", is_flag=True, help="Also list changed parameters of what the worker calls (griffe).")
@click.option("--bisect", is_flag=True, help="Rehearse with one group of packages put back at a time.")
@click.option("--experiment", metavar="EXP", help="Whose classes --effective and --bisect are about.")
@click.option("--all", "everything", is_flag=True, help="List what can hardly matter, too.")
@json_option
def command(
    names: tuple[str, ...],
    effective: bool,
    api: bool,
    bisect: bool,
    experiment: str | None,
    everything: bool,
    as_json: bool,
) -> int:
    """Say what differs between two environments or runs, the most suspicious first.

    A and B: current, a lockfile, a requirements.txt, a run or an experiment on the record, an interpreter,
    the folder of an offline W&B run, a checkpoint or the id of its verification. B is current where it is
    left out, and A the newest run that passed.

    \b
    ledger diff-env                                 the last good run against now
    ledger diff-env exp10-1a2b3c exp10-4d5e6f       a good run against a bad one
    ledger diff-env mt-4.57.6 mt-5.0.0 --effective  two lockfiles, defaults included

    It ranks suspects; it does not prove a cause. Exit code 1: something hard differs.
    """
    from shutil import get_terminal_size

    from ledger.cli.run import TerminalVoice
    from ledger.commands.diff_env.compare import DiffEnvRequest, diff_env
    from ledger.display.environment_diff import sheet
    from ledger.workspace import Workspace

    if len(names) > 2:
        raise click.UsageError("name two sides at most")
    request = DiffEnvRequest(names, effective=effective, api=api, bisect=bisect, experiment=experiment)
    answer = diff_env(Workspace.find_if_any(), request, TerminalVoice())
    document = answer.to_json()
    if as_json:
        emit(document, as_json)
    else:
        click.echo("\n".join(sheet(document, get_terminal_size().columns, everything=everything)))
    return exit_for(answer.report)
