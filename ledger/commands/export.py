"""`ledger export RUN`: a recorded run in a standard format."""

from collections.abc import Callable, Sequence

from ledger.environments.diff.from_journal import VERIFIED, environments
from ledger.errors import LedgerError
from ledger.exporters import dockerfile, in_toto, markdown, model_card
from ledger.exporters.record import Product, Record
from ledger.journal.annotations import notes, ratings
from ledger.journal.run import Run
from ledger.journal.runs import find, load_named
from ledger.journal.store import Entry
from ledger.workspace import Workspace

FORMATS: dict[str, Callable[[Record], str]] = {
    "in-toto": in_toto.export,
    "model-card": model_card.export,
    "docker": dockerfile.export,
    "markdown": markdown.export,
}


def export(workspace: Workspace, name: str, kind: str) -> str:
    """The run in one of the `FORMATS`. Raises LedgerError if it lacks data that the format needs."""
    return FORMATS[kind](read_record(workspace, name))


def read_record(workspace: Workspace, name: str) -> Record:
    """Everything that is recorded about a finished run. Raises LedgerError for one that has not finished."""
    runs, entries = load_named(workspace, [name])
    run = find(runs, name)
    if run.finished is None:
        raise LedgerError(
            f"{run.id} has not finished: it is {run.status}", hint="export it when it has finished"
        )
    return Record(
        run=run,
        product=_product(run, entries),
        environment=environments(entries).get(str(run.environment), {}),
        notes=tuple(notes(entries, run.experiment, run.id)),
        ratings=tuple(ratings(entries, run.id)),
    )


def _product(run: Run, entries: Sequence[Entry]) -> Product | None:
    if run.output and run.output.sha256:
        return Product(run.output.path, run.output.sha256)
    verified = [
        entry.body
        for entry in entries
        if entry.kind == VERIFIED
        and entry.body.get("run") == run.id
        and entry.body["verdict"] == "pass"
        and entry.body.get("files")
    ]
    if not verified:
        return None
    newest = verified[-1]
    return Product(newest["checkpoint"], newest["files"].removeprefix("sha256:"))
