"""Output of commands: one JSON document with `--json`, text for people without it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger.errors import Exit
from ledger.findings import Json, Report, Verdict
from ledger.utils.escape import ascii_controls, printable

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

EXIT_OF = {Verdict.PASS: Exit.PASSED, Verdict.FAIL: Exit.FINDINGS, Verdict.INCONCLUSIVE: Exit.NOT_DONE}

json_option: Callable[[Any], Any] = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document on standard output, and nothing else."
)


class OutputFile(click.ParamType[Path]):
    """A file that the command writes; one that must be kept is refused before any work is done."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:  # noqa: ARG002
        """The path. Raises UsageError for the journal, git's files, specs and the like."""
        from ledger.outputs import check_output

        path = Path(value)
        check_output(path)
        return path


def echo(*lines: str, err: bool = False, nl: bool = True) -> None:
    """Print lines of text, escaped; those that are `styled` are bold."""
    click.echo("\n".join(_line(one) for one in lines), err=err, nl=nl)


def _line(text: str) -> str:
    shown = printable(text)
    return click.style(shown, bold=True) if getattr(text, "style", "") else shown


def emit(document: Mapping[str, Json], as_json: bool, *human: "RenderableType") -> None:
    """Print `document` as JSON, or the `human` renderables, on stdout."""
    if as_json:
        import orjson

        option = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
        click.echo(ascii_controls(orjson.dumps(dict(document), option=option).decode()).encode())
    else:
        console().print(*human, sep="\n")


def console(*, stderr: bool = False) -> "Console":
    """A rich console: no colour in a pipe, 80 columns if the width is unknown."""
    from ledger.display.results import make_console

    return make_console(stderr=stderr)


def exit_for(report: Report) -> int:
    """The exit code for a report's verdict."""
    return EXIT_OF[report.verdict]
