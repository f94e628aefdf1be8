"""`ledger rate`: a person rates sampled lines of a run."""

import sys
from typing import TYPE_CHECKING

import click

from ledger.cli import complete
from ledger.cli.output import console, echo, emit, json_option
from ledger.errors import Exit

if TYPE_CHECKING:
    from ledger.commands.rate import RatedLine, Session
    from ledger.journal.annotations import Judgement, Rating

KEYS: "dict[str, Judgement]" = {"r": "right", "p": "partly", "w": "wrong"}
ASK = "[r]ight  [p]artly usable  [w]rong  [b]ack  [q]uit: "
WORDS = {"right": "right", "partly": "partly usable", "wrong": "wrong"}


@click.command("rate")
@click.argument("run", shell_complete=complete.runs)
@click.option(
    "--lines", type=click.IntRange(min=1), default=50, show_default=True, help="How many lines to rate."
)
@json_option
def command(run: str, lines: int, as_json: bool) -> int:
    """Rate randomly drawn lines of RUN's output: right, partly usable or wrong.

    Every answer is saved at once: quit at any time and repeat the command to continue. When all lines are
    rated, the shares are recorded with their 95% intervals.

    \b
    ledger rate exp5 --lines 50
    """
    from ledger.commands.rate import open_session
    from ledger.workspace import Workspace

    session = open_session(Workspace.find(), run, lines)
    if not _judge(session):
        left = len(session.left)
        echo(
            f"stopped; {left} of {len(session.lines)} lines left: ledger rate {run} --lines {lines}", err=True
        )
        return Exit.PASSED
    rating = session.record()
    if as_json:
        emit(rating.to_json(), as_json)
    else:
        echo(*_summary(rating))
    return Exit.PASSED


def _judge(session: "Session") -> bool:
    """Ask for each line that is left; False if the person quit."""
    while left := session.left:
        line = left[0]
        _show(line, len(session.lines) - len(left) + 1, len(session.lines))
        key = _key()
        if key in KEYS:
            session.sheet.judge(line.number, KEYS[key])
        elif key == "b" and (judged := list(session.answers)):
            session.sheet.judge(judged[-1], None)
        elif key == "q":
            return False
    return True


def _show(line: "RatedLine", place: int, of: int) -> None:
    from ledger.display.results import pairs

    texts = {"source": line.source, "output": line.output, "reference": line.reference}
    rows = [(name, text or "(empty)") for name, text in texts.items() if text is not None]
    heading = f"{place} of {of}, line {line.number:,}"
    console(stderr=True).print("", heading, pairs(rows), sep="\n", markup=False)


def _key() -> str:
    """One key on a terminal, the first letter of a line in a pipe; `q` at the end of the input."""
    echo(ASK, nl=False, err=True)
    typed = click.getchar() if sys.stdin.isatty() else sys.stdin.readline() or "q"
    key = typed.strip().lower()[:1]
    echo(key, err=True)
    return key


def _summary(rating: "Rating") -> list[str]:
    rows = [
        f"{WORDS[name]:<14} {one.share:6.1%}   95% interval {one.interval[0]:.1%} to {one.interval[1]:.1%}"
        for name, one in rating.shares.items()
    ]
    drawn = f"{rating.lines:,} of {rating.of:,} lines of {rating.run}, drawn at random, rated by {rating.who}"
    return [*rows, f"{drawn}; recorded"]
