"""`ledger explain`: what a guard's code means."""

import click

from ledger.cli import complete
from ledger.cli.output import emit, json_option


@click.command("explain")
@click.argument("code", required=False, shell_complete=complete.codes)
@click.option(
    "--all", "show_all", is_flag=True, help="List all codes with their titles (same as without CODE)."
)
@json_option
def command(code: str | None, show_all: bool, as_json: bool) -> None:
    """Explain what a guard's CODE means, why it matters, and what to do about it.

    \b
    ledger explain TXT001
    ledger explain            all codes with their titles
    """
    from ledger.errors import UsageError

    if code and show_all:
        raise UsageError("--all takes no CODE", hint="give one or the other")
    if code:
        _explain(code, as_json)
    else:
        _list(as_json)


def _explain(code: str, as_json: bool) -> None:
    from ledger.commands.explain import find_guard, in_full
    from ledger.display.results import explanation

    guard = find_guard(code)
    about = guard.EXPLANATION
    sections = {"What it means": about.means, "Why it matters": about.matters, "What to do": about.do}
    emit(in_full(guard), as_json, explanation(f"{guard.CODE}  {guard.TITLE}", sections))


def _list(as_json: bool) -> None:
    from ledger.commands.explain import titles
    from ledger.display.results import pairs

    rows = titles()
    document = {"guards": [{"code": code, "title": title} for code, title in rows]}
    emit(document, as_json, pairs(rows))
