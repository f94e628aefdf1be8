"""`ledger show`: everything that is recorded about one run."""

from dataclasses import asdict

import click

from ledger.cli import complete
from ledger.cli.output import emit, json_option


@click.command("show")
@click.argument("run", shell_complete=complete.runs)
@json_option
def command(run: str, as_json: bool) -> None:
    """Show one run in full: inputs, environment, results and findings.

    RUN is a run id, the beginning of one, or an experiment for its latest run.

    \b
    ledger show exp7
    ledger show exp7-3fa91c --json
    """
    from ledger.commands.attention import AttentionFinder
    from ledger.display.run_details import run_sections
    from ledger.environments.diff.from_journal import environments
    from ledger.journal.annotations import notes, ratings
    from ledger.journal.runs import files_of, find, load_record
    from ledger.report.attention import basis
    from ledger.report.translations import ENGLISH
    from ledger.workspace import Workspace

    workspace = Workspace.find()
    runs, entries = load_record(workspace)
    found = find(runs, run)
    files = files_of(workspace, found)
    noted, rated = list(notes(entries, found.experiment, found.id)), list(ratings(entries, found.id))
    people = {"notes": [asdict(one) for one in noted], "ratings": [one.to_json() for one in rated]}
    reasons = list(AttentionFinder(workspace, runs, environments(entries)).of(found))
    document = {**found.to_json(), "files": files, **people, "attention": [asdict(one) for one in reasons]}
    sections = run_sections(
        found,
        files,
        noted,
        rated,
        basis=basis(found, ENGLISH),
        attention=[(f"{one.kind}: {one.sentence(ENGLISH)}", one.command) for one in reasons],
    )
    emit(document, as_json, *sections)
