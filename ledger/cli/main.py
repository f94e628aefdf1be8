"""`ledger`: the table of commands, and the one way in.

A command is a module here with a click command called `command`. It is imported when it is typed, not
before, so `ledger --help` costs what click costs; that is why the table repeats each command's one-liner.
"""

import sys
from importlib import import_module

import click

from ledger import __version__
from ledger.cli.boundary import run_command

COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("ledger.cli.init", "Make a git repository ready for the ledger."),
    "run": ("ledger.cli.run", "Run an experiment or a command: preflight, run, guard, record."),
    "verify": ("ledger.cli.verify", "Reload a checkpoint in a fresh process, and guard what came of it."),
    "check": ("ledger.cli.check", "Guard any output file: its text and, with a reference, its scores."),
    "compare": ("ledger.cli.compare", "Say whether one run is better than another, and what differs."),
    "diff-env": ("ledger.cli.diff_env", "Say what differs between two environments, most suspicious first."),
    "log": ("ledger.cli.log", "List the recorded runs."),
    "show": ("ledger.cli.show", "Show one run in full."),
    "ps": ("ledger.cli.ps", "List what runs, what stalled, and what was interrupted."),
    "note": ("ledger.cli.note", "Put a conclusion or a lesson on the record."),
    "skip": ("ledger.cli.skip", "Decide not to run an experiment, on the record."),
    "rate": ("ledger.cli.rate", "Judge sampled lines of a run's output."),
    "accept": ("ledger.cli.accept", "Live with a finding, on the record."),
    "reproduce": ("ledger.cli.reproduce", "Repeat a run at its commit, and compare what comes of it."),
    "explain": ("ledger.cli.explain", "Say what a guard's code means and what to do about it."),
    "fsck": ("ledger.cli.fsck", "Check that nothing in the journal was changed, lost or moved."),
    "gate": ("ledger.cli.gate", "Check a branch before it is merged."),
    "env": ("ledger.cli.env", "Look at the environment that experiments run in."),
    "import": ("ledger.cli.import_", "Take in what others recorded, as claims."),
    "report": ("ledger.cli.report", "Write everything on the record as one page."),
    "export": ("ledger.cli.export", "Write a run in a standard format."),
    "sync": ("ledger.cli.sync", "Send to MLflow what has not been sent yet."),
    "ui": ("ledger.cli.ui", "Open MLflow's pages on the recorded runs."),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names in the table's order, which is the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the module of one command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The command list of `--help`, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ledger")
def cli() -> None:
    """Record experiments, and guard their results.

    \b
    ledger run exp5 --rehearse        the whole experiment, scaled down, in minutes
    ledger run exp5                   the real one: preflight, run, guard, record
    ledger check out.ja --lang ja     guard any output file
    ledger log                        what was run, and whether to believe it

    Exit codes: 0 passed, 1 findings, 2 usage, 3 could not be done or not
    conclusive, 4 a bug, 130 interrupted.
    """


def main() -> None:
    """The entry point of the installed `ledger` command."""
    sys.exit(run_command(cli, sys.argv[1:]))
