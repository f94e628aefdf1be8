"""Drawing for people: reports, samples and tables with rich. Decides nothing."""

import os
import sys
from collections.abc import Iterable

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from ledger.findings import Report, Severity, Verdict

MARKS = {
    Severity.ERROR: ("error", "bold red"),
    Severity.WARNING: ("warning", "yellow"),
    Severity.INFO: ("note", "cyan"),
}
VERDICTS = {Verdict.PASS: "bold green", Verdict.FAIL: "bold red", Verdict.INCONCLUSIVE: "bold yellow"}


def make_console(*, stderr: bool = False) -> Console:
    """A console without colour in a pipe and 80 columns wide where nothing tells the width."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else 80
    return Console(file=stream, width=width, highlight=False, soft_wrap=False)


def report_table(report: Report, *, title: str = "") -> Table:
    """One row per finding, then the skips, then the codes that passed in one row."""
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for heading, options in {"guard": {"no_wrap": True}, "says": {"no_wrap": True}, "about": {}}.items():
        table.add_column(heading, **options)  # type: ignore[arg-type]
    for finding in sorted(report.findings, key=lambda f: (-f.severity, f.code)):
        word, style = MARKS[finding.severity]
        accepted = f" (accepted: {finding.accepted})" if finding.accepted else ""
        table.add_row(finding.code, Text(word, style), Text(finding.message + accepted))
    for skip in report.skips:
        table.add_row(skip.code, Text("skipped", "dim"), Text(skip.reason))
    if report.passed:
        table.add_row("", Text("passed", "green"), Text(", ".join(report.passed)))
    return table


def verdict_line(report: Report, subject: str) -> Text:
    """The last line: the verdict, of what."""
    return Text.assemble((report.verdict.upper(), VERDICTS[report.verdict]), f"  {subject}")


def lines(texts: Iterable[str]) -> Group:
    """Plain lines, unwrapped markup left alone."""
    return Group(*(Text(text) for text in texts))
