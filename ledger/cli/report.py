"""`ledger report`: all recorded runs as one page."""

from pathlib import Path

import click

from ledger.cli.output import OutputFile, console, echo, emit, json_option
from ledger.errors import Exit

PAGE = Path("report.html")


@click.command("report")
@click.option("--out", type=OutputFile(), help=f"The file to write [default: {PAGE}].")
@click.option(
    "--lang",
    "language",
    type=click.Choice(["en", "ja"]),
    default="en",
    show_default=True,
    help="The language of the page.",
)
@click.option("--markdown", is_flag=True, help="Write Markdown, to standard output unless --out is given.")
@click.option(
    "--compare",
    "pairs",
    nargs=2,
    multiple=True,
    metavar="A B",
    help="Add a comparison of two runs; repeatable.",
)
@json_option
def command(
    out: Path | None, language: str, markdown: bool, pairs: tuple[tuple[str, str], ...], as_json: bool
) -> int:
    """Write all recorded runs as one self-contained HTML file.

    \b
    ledger report                                 report.html
    ledger report --lang ja --compare exp5 exp9
    ledger report --markdown --out docs/log.md
    """
    from ledger.commands.report import ReportRequest, report
    from ledger.outputs import write_output
    from ledger.workspace import Workspace

    with console(stderr=True).status("collecting"):
        text = report(Workspace.find(), ReportRequest(language, markdown, pairs)).rstrip("\n")
    if markdown and out is None and not as_json:
        echo(text)
        return Exit.PASSED
    target = out or PAGE
    size = len(data := f"{text}\n".encode())
    write_output(target, data)
    if as_json:
        emit({"report": str(target), "bytes": size}, as_json)
    else:
        echo(f"{target} written, {size / 1024:,.0f} KiB")
    return Exit.PASSED
