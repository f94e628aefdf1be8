"""`ledger compare`: two runs, experiments or output files side by side."""

from pathlib import Path

import click

from ledger.cli import complete
from ledger.cli.check import comet_scorer
from ledger.cli.output import console, echo, emit, json_option
from ledger.errors import Exit, UsageError

FILE = click.Path(path_type=Path)


@click.command("compare")
@click.argument("baseline", metavar="A", shell_complete=complete.runs_or_files)
@click.argument("candidate", metavar="B", shell_complete=complete.runs_or_files)
@click.option("--source", type=FILE, help="The source text of both, unless A and B are runs that record it.")
@click.option("--reference", type=FILE, help="A reference translation to score both against, line by line.")
@click.option("--lang", "language", help="The expected language of both outputs: ja, ko_KR, eng_Latn.")
@click.option("--comet", metavar="MODEL", help="Also score with this COMET model: a hub name or a folder.")
@click.option(
    "--lines",
    "shown",
    type=click.IntRange(0),
    default=3,
    help="How many improved and worsened lines to show.",
)
@click.option("--markdown", "as_markdown", is_flag=True, help="Print Markdown, for a pull request or a note.")
@json_option
def command(
    baseline: str,
    candidate: str,
    source: Path | None,
    reference: Path | None,
    language: str | None,
    comet: str | None,
    shown: int,
    as_markdown: bool,
    as_json: bool,
) -> int:
    """Compare B with A: scores with significance, flagged lines, settings and environments.

    A and B are runs, experiments (their latest run) or output files.

    \b
    ledger compare exp5 exp9
    ledger compare exp5 exp9 --lines 10 --markdown > exp9.md
    ledger compare a.ja b.ja --reference ref.ja --source in.ko --lang ja

    Exits 0 whichever is better; `ledger gate` fails on worse scores.
    """
    if as_json and as_markdown:
        raise UsageError("--json and --markdown exclude each other")
    from ledger.commands.compare import CompareRequest, compare
    from ledger.display.comparison import to_json, to_markdown, to_tables
    from ledger.workspace import Workspace

    with console(stderr=True).status("comparing"):
        scorer = comet_scorer(comet) if comet else None
        request = CompareRequest(baseline, candidate, source, reference, language, scorer)
        found = compare(Workspace.find_if_any(), request)
    if as_markdown:
        echo(to_markdown(found, shown))
    else:
        emit(to_json(found, shown), as_json, *to_tables(found, shown))
    return Exit.PASSED
