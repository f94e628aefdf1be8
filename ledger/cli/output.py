"""Output of commands: one JSON document with `--json`, text for people without it."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from ledger.errors import Exit
from ledger.findings import Json, Report, Verdict

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

EXIT_OF = {Verdict.PASS: Exit.PASSED, Verdict.FAIL: Exit.FINDINGS, Verdict.INCONCLUSIVE: Exit.NOT_DONE}

json_option: Callable[[Any], Any] = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document on standard output, and nothing else."
)


def emit(document: Mapping[str, Json], as_json: bool, *human: "RenderableType") -> None:
    """Print `document` as JSON, or the `human` renderables, on stdout."""
    if as_json:
        import orjson

        click.echo(orjson.dumps(dict(document), option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS))
    else:
        console().print(*human, sep="\n")


def console(*, stderr: bool = False) -> "Console":
    """A rich console: no colour in a pipe, 80 columns if the width is unknown."""
    from ledger.display.results import make_console

    return make_console(stderr=stderr)


def exit_for(report: Report) -> int:
    """The exit code for a report's verdict."""
    return EXIT_OF[report.verdict]
