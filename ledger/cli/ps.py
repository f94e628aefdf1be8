"""`ledger ps`: running, stalled and interrupted runs."""

from typing import TYPE_CHECKING

import click

from ledger.cli.output import console, echo, emit, json_option
from ledger.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.commands.ps import Process

RESUMES = {"real": "ledger run {} --resume", "rehearsal": "ledger run {} --rehearse --resume"}
EVERY = 2.0  # seconds between two looks with --watch
HEADINGS = ("run", "mode", "state", "started (UTC)", "last write", "pid")


@click.command("ps")
@click.option(
    "--stalled-after",
    type=click.FloatRange(min=0),
    default=10,
    show_default=True,
    metavar="MINUTES",
    help="Minutes without a write before a run counts as stalled.",
)
@click.option("--watch", is_flag=True, help="Keep showing them until Ctrl-C.")
@json_option
def command(stalled_after: float, watch: bool, as_json: bool) -> None:
    """List the runs that have not ended: running, stalled or interrupted.

    Below each run: what it is doing, and what has changed on disk since it started (spec, data or code).
    The run still uses what it read at the start.

    \b
    ledger ps
    ledger ps --watch
    ledger ps --stalled-after 60
    """
    from ledger.commands.ps import processes
    from ledger.workspace import Workspace

    if watch and as_json:
        raise UsageError("--watch is for people", hint="repeat: ledger ps --json")
    workspace = Workspace.find()

    def shown() -> list[str]:
        found = processes(workspace, stalled_after * 60)
        return _table(found) if found else ["no running or interrupted runs"]

    if watch:
        _watch(shown)
    elif as_json:
        found = processes(workspace, stalled_after * 60)
        emit({"processes": [one.to_json() for one in found]}, as_json)
    else:
        echo(*shown())


def _watch(shown: "Callable[[], list[str]]") -> None:
    """Refresh in place on a terminal; elsewhere, print what changed. Ends by Ctrl-C, which is no failure."""
    import sys
    import time
    from contextlib import suppress

    with suppress(KeyboardInterrupt):
        if not sys.stdout.isatty():
            before: list[str] = []
            while True:
                lines = shown()
                echo(*(line for line in lines if line not in before))
                sys.stdout.flush()
                before = lines
                time.sleep(EVERY)
        from rich.live import Live

        from ledger.display.results import lines as drawn

        with Live(drawn(shown()), console=console(), auto_refresh=False) as live:
            while True:
                live.update(drawn(shown()), refresh=True)
                time.sleep(EVERY)


def _table(found: "list[Process]") -> list[str]:
    import shutil
    from textwrap import wrap

    from ledger.display.table import Column, Table, styled

    width = shutil.get_terminal_size((80, 24)).columns
    columns = [*(Column(one, "whole") for one in HEADINGS[:-1]), Column(HEADINGS[-1], "cut")]
    heading, *lines = Table(columns, [_row(one) for one in found]).lines(width)
    shown: list[str] = [styled(heading, "bold")]
    for one, line in zip(found, lines, strict=True):
        shown.append(line)
        for text in _remarks(one):
            shown += wrap(text, width, initial_indent="  ", subsequent_indent="    ")
    return shown


def _row(one: "Process") -> tuple[str, ...]:
    silent = "-" if one.silent is None else _ago(one.silent)
    started = one.started[:16].replace("T", " ")
    return one.run, one.mode, one.state, started, silent, str(one.pid or "-")


def _remarks(one: "Process") -> list[str]:
    remarks = [one.doing] if one.doing else []
    remarks += [f"changed since the start: {text}" for text in one.changed]
    if one.state == "interrupted" and one.mode in RESUMES:
        remarks.append(f"resume with: {RESUMES[one.mode].format(one.experiment)}")
    return remarks


def _ago(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"
