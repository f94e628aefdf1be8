"""`ledger export RUN`: a recorded run in a format of others."""

from collections.abc import Callable, Sequence

from ledger.environments.diff.from_journal import VERIFIED, environments
from ledger.errors import LedgerError
from ledger.exporters import dockerfile, in_toto, markdown, model_card
from ledger.exporters.record import Product, Record
from ledger.journal.annotations import notes, ratings
from ledger.journal.run import Run
from ledger.journal.runs import find, load_record
from ledger.journal.store import Entry
from ledger.workspace import Workspace

FORMATS: dict[str, Callable[[Record], str]] = {
    "in-toto": in_toto.export,
    "model-card": model_card.export,
    "docker": dockerfile.export,
    "markdown": markdown.export,
}


def export(workspace: Workspace, name: str, kind: str) -> str:
    """The run of that name in one of the `FORMATS`. Raises LedgerError where it lacks what that needs."""
    return FORMATS[kind](read_record(workspace, name))


def read_record(workspace: Workspace, name: str) -> Record:
    """Everything on the record about a finished run."""
    runs, entries = load_record(workspace)
    run = find(runs, name)
    if run.finished is None:
        raise LedgerError(f"{run.id} has not ended: it is {run.status}", hint="export it when it has")
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
