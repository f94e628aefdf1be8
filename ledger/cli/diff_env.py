"""`ledger diff-env`: what differs between two environments or runs, most suspicious first."""

import click

from ledger.cli import complete
from ledger.cli.output import echo, emit, exit_for, json_option


@click.command("diff-env")
@click.argument("names", metavar="[A] [B]", nargs=-1, shell_complete=complete.runs_or_files)
@click.option("--effective", is_flag=True, help="Also compare the effective defaults of both environments.")
@click.option("--api", is_flag=True, help="Also list changed signatures that the worker uses (griffe).")
@click.option("--bisect", is_flag=True, help="Find the packages at fault, by tests of mixtures of A and B.")
@click.option("--experiment", metavar="EXP", help="The experiment for --effective and --bisect.")
@click.option("--all", "everything", is_flag=True, help="Also list differences that hardly matter.")
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
    """List what differs between two environments or runs, most suspicious first.

    A and B: current, a lockfile, a requirements.txt, a recorded run or experiment, an interpreter, the folder
    of an offline W&B run, a checkpoint, or the id of its verification. Default: A is the newest run that
    passed, B is current.

    \b
    ledger diff-env                                 the last good run against now
    ledger diff-env exp10-1a2b3c exp10-4d5e6f       a good run against a bad one
    ledger diff-env mt-4.57.6 mt-5.0.0 --effective  two lockfiles, defaults included

    The ranking names suspects, not proven causes. Exits 1 if a difference can change results.
    """
    from shutil import get_terminal_size

    from ledger.cli.run import TerminalReporter
    from ledger.commands.diff_env.compare import DiffEnvRequest, diff_env
    from ledger.display.environment_diff import difference_lines
    from ledger.workspace import Workspace

    if len(names) > 2:
        raise click.UsageError("name at most two sides")
    request = DiffEnvRequest(names, effective=effective, api=api, bisect=bisect, experiment=experiment)
    answer = diff_env(Workspace.find_if_any(), request, TerminalReporter())
    document = answer.to_json()
    if as_json:
        emit(document, as_json)
    else:
        echo(*difference_lines(document, get_terminal_size().columns, everything=everything))
    return exit_for(answer.report)
