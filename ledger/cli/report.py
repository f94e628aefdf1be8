"""`ledger report`: all recorded runs as one page."""

from contextlib import suppress
from pathlib import Path

import click

from ledger.cli.output import OutputFile, console, echo, emit, json_option
from ledger.errors import Exit, UsageError

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
@click.option(
    "--serve", is_flag=True, help="Serve the page to a browser of this machine, and follow what is running."
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="With --serve: the port [default: any]."
)
@json_option
def command(
    out: Path | None,
    language: str,
    markdown: bool,
    pairs: tuple[tuple[str, str], ...],
    serve: bool,
    port: int | None,
    as_json: bool,
) -> int:
    """Write all recorded runs as one self-contained HTML file.

    \b
    ledger report                                 report.html
    ledger report --lang ja --compare exp5 exp9
    ledger report --markdown --out docs/log.md
    ledger report --serve                         at an address of this machine, until Ctrl-C
    """
    if serve:
        if out or markdown or as_json:
            raise UsageError("--serve writes no file", hint="leave out --out, --markdown and --json")
        return _serve(language, pairs, port or 0)
    if port:
        raise UsageError("--port is for --serve")
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


def _serve(language: str, pairs: tuple[tuple[str, str], ...], port: int) -> int:
    from ledger.commands.report import ReportRequest
    from ledger.commands.report_server import serve
    from ledger.workspace import Workspace

    def announce(address: str) -> None:
        echo(address)
        echo("only this machine can open it, and only with this address; Ctrl-C ends it", err=True)

    with suppress(KeyboardInterrupt):  # the way to end it
        serve(Workspace.find(), ReportRequest(language, pairs=pairs), port, announce)
    return Exit.PASSED
