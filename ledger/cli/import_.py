"""`ledger import`: take in what others recorded, as claims."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.cli.output import console, emit, exit_for, json_option

if TYPE_CHECKING:
    from rich.table import Table

    from ledger.commands.import_ import Imported, ImportedRun

KINDS = ("markdown", "huggingface", "mlflow", "lightning", "wandb")


@click.command("import")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--as", "kind", type=click.Choice(KINDS), help="What wrote it, where nothing tells.")
@click.option("--dry-run", is_flag=True, help="Read and guard, and record nothing.")
@json_option
def command(source: Path, kind: str | None, dry_run: bool, as_json: bool) -> int:
    """Take in what others recorded: as claims, marked as such, never as observations.

    SOURCE is a log in Markdown, an output folder of the Hugging Face Trainer, an MLflow store (mlruns/ or
    mlflow.db), a folder of Lightning's loggers, or a W&B offline run. What contradicts itself in a log is
    reported. Importing the same source again adds nothing.

    \b
    ledger import docs/experiment-log.md --dry-run
    ledger import wandb/offline-run-20260203_170000-80s3lwwk
    ledger import mlflow.db --json
    """
    from ledger.commands.import_ import look, record
    from ledger.errors import UsageError
    from ledger.workspace import Workspace

    try:
        workspace = Workspace.find()
    except UsageError:
        if not dry_run:
            raise
        workspace = None
    imported = look(source, kind, workspace)
    if workspace and not dry_run:
        record(workspace, imported)
    if as_json:
        emit(_document(imported, dry_run), as_json)
    else:
        _tell(imported, dry_run)
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


def _tell(imported: "Imported", dry_run: bool) -> None:
    from ledger.display.tables import lines, report_table

    out = console()
    out.print(_table(imported.runs))
    if imported.problems:
        out.print("", lines(f"not readable: {one}" for one in imported.problems), sep="\n")
    if imported.report.findings:
        out.print("", report_table(imported.report), sep="\n")
    new = sum(run.is_new for run in imported.runs)
    known = len(imported.runs) - new
    done = (
        f"{new:,} would be recorded" if dry_run else f"{new:,} recorded as claims, which are no observations"
    )
    out.print("", f"{done}; {known:,} known already" if known else done, sep="\n")


def _table(runs: "tuple[ImportedRun, ...]") -> "Table":
    from rich.table import Table
    from rich.text import Text

    from ledger.display.tables import visible

    table = Table(box=None, pad_edge=False)
    for heading in ("run", "outcome", "model"):
        table.add_column(heading, no_wrap=True, overflow="ellipsis")
    table.add_column("params", justify="right")
    table.add_column("rates", justify="right")
    table.add_column("scores", justify="right")
    for run in runs:
        claims = run.body["claims"]
        counts = [len(claims.get(name, {})) for name in ("params", "rates", "metrics")]
        model = Text(visible(claims.get("model") or "").rpartition("/")[2])
        table.add_row(
            Text(run.body["run"]),
            claims.get("outcome") or "",
            model,
            *(f"{n:,}" if n else "" for n in counts),
        )
    return table
