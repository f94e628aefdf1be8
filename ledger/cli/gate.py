"""`ledger gate`: the check before a merge."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.cli.output import OutputFile, echo, emit, exit_for, json_option

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ledger.commands.gate.gate import Gate


@click.command("gate")
@click.option(
    "--base",
    metavar="REF",
    help="Branch or commit to compare the work tree with; by default the default branch.",
)
@click.option("--fix-claims", is_flag=True, help="First write the journal's numbers into marked claims.")
@click.option("--rehearse", is_flag=True, help="Rehearse changed specs, and both sides of changed lockfiles.")
@click.option("--junit", type=OutputFile(), help="Also write JUnit XML to this file.")
@click.option("--summary", type=OutputFile(), help="Also write a Markdown summary to this file.")
@click.option(
    "--comment", type=OutputFile(), help="Also write the text of the pull request's comment to this file."
)
@json_option
def command(
    base: str | None,
    fix_claims: bool,
    rehearse: bool,
    junit: Path | None,
    summary: Path | None,
    comment: Path | None,
    as_json: bool,
) -> int:
    """Check the work tree before it is merged into the base.

    \b
    ledger gate                       against the default branch
    ledger gate --base main --rehearse
    ledger gate --fix-claims          and write the journal's numbers into README.md

    The journal only grew; changed specs were run; changed lockfiles break nothing; no score fell, no output
    duplicates another, no finding is open, and every number that a document claims is the journal's.
    """
    from ledger.cli.run import TerminalReporter
    from ledger.commands.gate.gate import run_gate
    from ledger.git.pushes import push_of_job
    from ledger.workspace import Workspace

    workspace, reporter = Workspace.find(), TerminalReporter()
    if fix_claims:
        from ledger.commands.gate.fix_claims import fix_claims as fix

        for sentence in fix(workspace):
            reporter.say(sentence)
    target = base or os.environ.get("GITHUB_BASE_REF") or None  # of a pull request
    gate = run_gate(workspace, target, reporter, rehearse=rehearse, push=push_of_job(os.environ))
    _write(gate, junit, summary, comment)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        _annotate(gate, workspace.root, as_json)
    emit(gate.to_json(), as_json, *([] if as_json else _human(gate)))
    return exit_for(gate.report)


def _annotate(gate: "Gate", root: Path, as_json: bool) -> None:
    """Print the annotations, on stderr where stdout is for JSON, and update the pull request's comment."""
    from ledger.commands.gate.annotations import annotations
    from ledger.commands.gate.comment import send
    from ledger.errors import LedgerError
    from ledger.git.client import top_of

    for line in annotations(gate, root.resolve().relative_to(top_of(root).resolve()).as_posix()):
        echo(line, err=as_json)
    try:
        if address := send(gate, os.environ):
            echo(f"comment: {address}", err=True)
    except LedgerError as error:  # the verdict stands, whoever may read it
        echo(f"ledger: {error.message}", f"  {error.hint}", err=True)


def _write(gate: "Gate", junit: Path | None, summary: Path | None, comment: Path | None) -> None:
    """Write the requested files, and the job summary in a GitHub job."""
    if comment:
        from ledger.commands.gate.comment import body
        from ledger.outputs import write_output

        write_output(comment, body(gate).encode())
    if junit:
        from ledger.commands.gate.junit import write_junit

        write_junit(gate, junit)
    job = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary or job:
        from ledger.commands.gate.summary import write_summary

        if summary:
            write_summary(gate, summary)
        if job:
            write_summary(gate, Path(job), append=True)


def _human(gate: "Gate") -> "list[RenderableType]":
    from ledger.display.results import lines, plain_table, report_table, verdict_line
    from ledger.findings import Report

    shown: list[RenderableType] = [
        plain_table(("check", "", "details"), [(c.name, c.status, c.about) for c in gate.checks]),
        "",
    ]
    report = gate.report
    if report.findings or report.skips:
        shown += [report_table(Report(report.findings, report.skips)), ""]
    for check in gate.checks:
        for table in check.tables:
            shown += [lines([table.title]), plain_table(table.headings, table.rows), ""]
    shown.append(verdict_line(report, f"against {gate.base.name}"))
    if report.failing:
        shown.append(lines([f"ledger explain {code}" for code in sorted(report.failing)]))
    return shown
