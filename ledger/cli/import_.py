"""`ledger import`: import runs that other tools or people recorded, as claims."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.cli.output import console, echo, emit, exit_for, json_option

if TYPE_CHECKING:
    from ledger.commands.import_ import Imported, ImportedRun
    from ledger.display.table import Table

KINDS = (
    *("markdown", "huggingface", "mlflow", "lightning", "wandb", "tensorboard", "trackio", "lm-eval", "log"),
    *("sacred", "dvc", "table"),
)


@click.command("import")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--as", "kind", type=click.Choice(KINDS), help="The kind of source, if it cannot be detected.")
@click.option(
    "--dry-run/--record",
    "dry_run",
    default=None,
    help="Only read and check, or record. Default: at a terminal --dry-run, else --record.",
)
@json_option
def command(source: Path, kind: str | None, dry_run: bool | None, as_json: bool) -> int:
    """Import runs that other tools or people recorded, marked as claims, never as observations.

    SOURCE is a log in Markdown, an output folder of the Hugging Face Trainer, a store of MLflow or Trackio, a
    run of W&B, TensorBoard, Lightning, Sacred or DVC, a log of fairseq or Marian, results of lm-eval, or a
    table of runs (CSV, TSV, JSON lines). Contradictions in a log are reported. Importing the same source
    again adds nothing. At a terminal nothing is recorded without --record.

    \b
    ledger import docs/experiment-log.md
    ledger import docs/experiment-log.md --record
    ledger import wandb/offline-run-20260203_170000-80s3lwwk
    """
    from ledger.commands.import_ import read, record
    from ledger.errors import UsageError
    from ledger.workspace import Workspace

    by_default = dry_run is None and sys.stdout.isatty()
    dry_run = by_default if dry_run is None else dry_run
    try:
        workspace = Workspace.find()
    except UsageError:
        if not dry_run:
            raise
        workspace = None
    imported = read(source, kind, workspace)
    if workspace and not dry_run:
        record(workspace, imported)
    if as_json:
        emit(_document(imported, dry_run), as_json)
    else:
        _print(imported, dry_run)
    if by_default and any(run.is_new for run in imported.runs):
        again = f"ledger import {shlex.quote(str(source))} --record"
        echo(f"nothing was recorded; if this is right: {again}", err=True)
    return exit_for(imported.report)


def _document(imported: "Imported", dry_run: bool) -> dict[str, object]:
    return {
        **imported.report.to_json(),
        "source": imported.source.to_json(),
        "runs": [
            {**run.body, "recorded": run.is_new and not dry_run, "new": run.is_new} for run in imported.runs
        ],
        "problems": list(imported.problems),
    }


def _print(imported: "Imported", dry_run: bool) -> None:
    from ledger.display.results import lines, report_table

    out = console()
    out.print(_table(imported.runs))
    if imported.problems:
        out.print("", lines(f"not readable: {one}" for one in imported.problems), sep="\n")
    if imported.report.findings:
        out.print("", report_table(imported.report), sep="\n")
    new = sum(run.is_new for run in imported.runs)
    known = len(imported.runs) - new
    done = f"{new:,} would be recorded" if dry_run else f"{new:,} recorded as claims, not as observations"
    out.print("", f"{done}; {known:,} already recorded" if known else done, sep="\n")


def _table(runs: "tuple[ImportedRun, ...]") -> "Table":
    from ledger.display.table import Column, Table

    rows = []
    for run in runs:
        claims = run.body["claims"]
        counts = [len(claims.get(name, {})) for name in ("params", "rates", "metrics")]
        model = (claims.get("model") or "").rpartition("/")[2]
        rows.append(
            (run.body["run"], claims.get("outcome") or "", model, *(f"{n:,}" if n else "" for n in counts))
        )
    texts = [Column("run", "cut"), Column("outcome", "whole"), Column("model", "cut")]
    numbers = [Column(name, "whole", right=True) for name in ("params", "rates", "scores")]
    return Table((*texts, *numbers), rows)
