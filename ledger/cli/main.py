"""`ledger`: the table of commands and the entry point.

A command is a module here with a click command called `command`. It is imported only when it is called, so
`ledger --help` stays fast; this is why the table repeats the first line of each command's help.
"""

import sys
from importlib import import_module

import click

from ledger import __version__
from ledger.cli.boundary import run_command
from ledger.cli.logs import configure_logging
from ledger.utils import own_packages

COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("ledger.cli.init", "Make a git repository ready for the ledger."),
    "run": ("ledger.cli.run", "Run an experiment or a command: preflight, run, guard, record."),
    "verify": ("ledger.cli.verify", "Reload a checkpoint in a fresh process and check the result."),
    "check": ("ledger.cli.check", "Check any output file: its text and, with a reference, its scores."),
    "compare": ("ledger.cli.compare", "Compare two runs: scores, flagged lines, settings, environments."),
    "diff-env": ("ledger.cli.diff_env", "List what differs between two environments, most suspicious first."),
    "log": ("ledger.cli.log", "List the recorded runs."),
    "show": ("ledger.cli.show", "Show everything that is recorded about one run."),
    "ps": ("ledger.cli.ps", "List running, stalled and interrupted runs."),
    "note": ("ledger.cli.note", "Record a conclusion about a run or an experiment."),
    "skip": ("ledger.cli.skip", "Record the decision not to run an experiment."),
    "rate": ("ledger.cli.rate", "Rate sampled lines of a run's output by hand."),
    "accept": ("ledger.cli.accept", "Accept a finding, and record why."),
    "reproduce": ("ledger.cli.reproduce", "Repeat a run at its commit and compare the results."),
    "explain": ("ledger.cli.explain", "Explain a guard's code and what to do about it."),
    "fsck": ("ledger.cli.fsck", "Check the journal for altered, lost and moved entries."),
    "gate": ("ledger.cli.gate", "Check a branch before it is merged."),
    "env": ("ledger.cli.env", "Show, pin, build and list environments."),
    "gc": ("ledger.cli.gc", "Delete checkpoints that failed, were not verified, or are superseded."),
    "import": ("ledger.cli.import_", "Import runs that other tools or people recorded, as claims."),
    "report": ("ledger.cli.report", "Write a report of all recorded runs."),
    "export": ("ledger.cli.export", "Write a run in a standard format."),
    "sync": ("ledger.cli.sync", "Send recorded runs that MLflow does not have yet."),
    "ui": ("ledger.cli.ui", "Open the recorded runs in MLflow's web interface."),
}


class LazyGroup(click.Group):
    """A group that imports a command only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the module of one command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The command list of `--help`, from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ledger")
@click.option("-v", "--verbose", count=True, help="Log to standard error; -vv also logs debug messages.")
def cli(verbose: int) -> None:
    """Record experiments and check their results.

    \b
    ledger run exp5 --rehearse        the whole experiment, scaled down, in minutes
    ledger run exp5                   the real run: preflight, run, check, record
    ledger check out.ja --lang ja     check any output file
    ledger log                        recorded runs and their verdicts

    Exit codes: 0 passed, 1 findings, 2 usage, 3 could not be done or not
    conclusive, 4 a bug, 130 interrupted.
    """
    configure_logging(verbose)


def main() -> None:
    """The entry point of the command line."""
    own_packages.load()
    sys.exit(run_command(cli, sys.argv[1:]))
