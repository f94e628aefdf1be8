"""`ledger export`: a recorded run in a standard format."""

from pathlib import Path

import click

from ledger.cli import complete
from ledger.cli.output import OutputFile, echo, emit, json_option
from ledger.errors import Exit

KINDS = ("in-toto", "model-card", "docker", "markdown")


@click.command("export")
@click.argument("run", shell_complete=complete.runs)
@click.option("--format", "kind", type=click.Choice(KINDS), required=True, help="The format.")
@click.option("--out", type=OutputFile(), help="Write this file instead of standard output.")
@json_option
def command(run: str, kind: str, out: Path | None, as_json: bool) -> int:
    """Write RUN in a standard format.

    \b
    in-toto     a test-result statement: the guards' results for the output's digest
    model-card  a model card with its model-index
    docker      a Dockerfile from commit, lockfile and command
    markdown    a summary for a pull request

    \b
    ledger export exp5 --format in-toto --out exp5.json
    ledger export exp5 --format docker > Dockerfile
    """
    from ledger.commands.export import export
    from ledger.outputs import write_output
    from ledger.workspace import Workspace

    text = export(Workspace.find(), run, kind).rstrip("\n")
    if out is not None:
        write_output(out, f"{text}\n".encode())
    if as_json:
        emit({"run": run, "format": kind, "out": str(out) if out else None, "text": text}, as_json)
    elif out is None:
        echo(text)
    else:
        echo(f"{out} written", err=True)
    return Exit.PASSED
