"""`ledger gc`: delete checkpoints that are not worth their space."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.cli.output import emit, json_option
from ledger.errors import Exit
from ledger.utils.plural import count

if TYPE_CHECKING:
    from ledger.commands.gc import Plan
    from ledger.display.table import Table
    from ledger.findings import Json


@click.command("gc")
@click.argument(
    "folders", metavar="[FOLDER]...", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option(
    "--keep-last", type=click.IntRange(0), default=1, show_default=True, help="The newest verified ones."
)
@click.option(
    "--keep-best",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="The verified ones that are best.",
)
@click.option(
    "--metric",
    metavar="NAME",
    help="What best means, such as eval_bleu [default: what the Trainer chose its best checkpoint by].",
)
@click.option("--delete", is_flag=True, help="Delete them; without it, only show what would be deleted.")
@json_option
def command(
    folders: tuple[Path, ...], keep_last: int, keep_best: int, metric: str | None, delete: bool, as_json: bool
) -> int:
    """Delete checkpoints that failed, were never verified, or are superseded by newer or better ones.

    FOLDER is the output folder of a training, with checkpoint-* in it; without one, those of all recorded
    runs. Nothing is deleted that a run, a spec, a note, an acceptance, git or a link names, nor what a
    running training wrote. Each deletion is recorded in the journal.

    \b
    ledger gc                                     what would be deleted, and how much it frees
    ledger gc --delete
    ledger gc outputs/exp10 --keep-best 3 --metric eval_bleu --delete
    """
    from ledger.commands.gc import Request, carry_out, plan
    from ledger.workspace import Workspace

    workspace = Workspace.find()
    planned = plan(workspace, Request(folders, keep_last, keep_best, metric))
    if delete:
        carry_out(workspace, planned)
    emit(_document(planned, workspace.root, delete), as_json, _table(planned), "", _summary(planned, delete))
    return Exit.PASSED


def _document(planned: "Plan", root: Path, deleted: bool) -> "dict[str, Json]":
    from ledger.utils.paths import relative_if_inside

    rows = [
        {
            "checkpoint": relative_if_inside(one.checkpoint.path, root),
            "step": one.checkpoint.step,
            "state": one.checkpoint.state,
            "score": one.checkpoint.score,
            "bytes": one.checkpoint.size,
            "keep": one.keep,
            "reason": one.reason,
        }
        for one in planned.decisions
    ]
    unfinished = [relative_if_inside(path, root) for path in planned.unfinished]
    return {"deleted": deleted, "checkpoints": rows, "unfinished": unfinished, "findings": [], "skips": []}


def _table(planned: "Plan") -> "Table | str":
    from rich.filesize import decimal

    from ledger.display.table import Column, Table
    from ledger.utils.paths import shown

    if not planned.decisions:
        return "no checkpoints"
    rows = [
        (
            f"{shown(one.checkpoint.path.parent.relative_to(one.checkpoint.path.parents[1]))}"
            f"/{shown(Path(one.checkpoint.path.name))}",
            "keep" if one.keep else "delete",
            one.checkpoint.state,
            decimal(one.checkpoint.size),
            one.reason,
        )
        for one in planned.decisions
    ]
    size = Column("size", right=True)
    return Table([Column("checkpoint", "whole"), "", "state", size, "why"], rows)


def _summary(planned: "Plan", delete: bool) -> str:
    from rich.filesize import decimal

    what = f"{count(len(planned.doomed), 'checkpoint')}, {decimal(sum(one.size for one in planned.doomed))}"
    finished = count(len(planned.unfinished), "interrupted deletion")
    more = f", and {finished}" if planned.unfinished else ""
    if delete:
        return f"deleted: {what}{more}"
    hint = "" if not (planned.doomed or planned.unfinished) else "; delete them with: ledger gc --delete"
    return f"to delete: {what}{more}{hint}"
