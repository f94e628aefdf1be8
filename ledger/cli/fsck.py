"""`ledger fsck`: check the journal for altered, lost and moved entries."""

from typing import TYPE_CHECKING

import click

from ledger.cli.output import console, echo, emit, exit_for, json_option
from ledger.utils.plural import count

if TYPE_CHECKING:
    from ledger.commands.fsck import CheckedJournal
    from ledger.findings import Json


@click.command("fsck")
@click.option(
    "--repair", is_flag=True, help="First undo what an editor or git did to line ends and encoding."
)
@json_option
def command(repair: bool, as_json: bool) -> int:
    """Check the journal for altered, lost and moved entries.

    Every entry carries the SHA-256 of its content and names the entries before it; the newest ones are
    noted per branch under .ledger/. The journal of rehearsals is checked too. Exits 1 on errors.

    \b
    ledger fsck
    ledger fsck --json
    ledger fsck --repair         after core.autocrlf or an editor changed the whole file
    """
    from ledger.commands.fsck import check_journals, together
    from ledger.journal.store import open_journal
    from ledger.workspace import Workspace

    workspace = Workspace.find()
    for mode in ("real", "rehearsal") if repair else ():
        journal = open_journal(workspace, mode)
        if what := journal.repair_form():
            echo(f"{journal.path} {what}: restored", err=True)
    checked = check_journals(workspace)
    total = together(checked)
    rows = [_row(one, str(one.path.relative_to(workspace.root))) for one in checked]
    if as_json:
        emit({**total.to_json(), "journals": rows}, as_json)
    else:
        for one, row in zip(checked, rows, strict=True):
            _print(one, str(row["path"]))
    return exit_for(total)


def _row(one: "CheckedJournal", path: str) -> "dict[str, Json]":
    bad = one.first_bad
    first = {"code": bad.code, "message": bad.message, **bad.evidence} if bad else None
    return {
        "path": path,
        "entries": one.entries,
        "runs": one.runs,
        "first_bad": first,
        **one.report.to_json(),
    }


def _print(one: "CheckedJournal", path: str) -> None:
    bad = one.first_bad
    if bad:
        summary = f"first bad entry: line {bad.evidence['line']} ({bad.code})"
    else:
        result = "not wholly checked" if one.report.skips else "nothing changed, lost or moved"
        entries = count(one.entries, "entry", "entries")
        summary = f"{entries}, {count(one.runs or 0, 'run')}: {result}"
    echo(f"{path}: {summary}")
    if one.report.findings or one.report.skips:
        from ledger.display.results import report_table

        console().print(report_table(one.report))
