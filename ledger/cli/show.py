"""`ledger show`: one run in full."""

from dataclasses import asdict

import click

from ledger.cli import complete
from ledger.cli.output import emit, json_option


@click.command("show")
@click.argument("run", shell_complete=complete.runs)
@json_option
def command(run: str, as_json: bool) -> None:
    """Show one run in full: what went in, in which environment, what came out, and what the guards said.

    RUN is a run id, the beginning of one, or an experiment for its latest run.

    \b
    ledger show exp7
    ledger show exp7-3fa91c --json
    """
    from ledger.display.run_details import sheet
    from ledger.journal.annotations import notes, ratings
    from ledger.journal.runs import files_of, find, load_record
    from ledger.workspace import Workspace

    workspace = Workspace.find()
    runs, entries = load_record(workspace)
    found = find(runs, run)
    files = files_of(workspace, found)
    said, judged = list(notes(entries, found.experiment, found.id)), list(ratings(entries, found.id))
    people = {"notes": [asdict(one) for one in said], "ratings": [one.to_json() for one in judged]}
    emit({**found.to_json(), "files": files, **people}, as_json, *sheet(found, files, said, judged))
