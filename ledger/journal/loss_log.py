"""The losses of a training, in the run's folder: one JSON list `[step, loss]` on each line."""

import json
from collections.abc import Iterable, Sequence
from itertools import islice
from math import isfinite
from pathlib import Path

from ledger.errors import LedgerError
from ledger.evidence.training import TrainingPoint
from ledger.findings import Json
from ledger.utils.hashing import digest_file
from ledger.utils.textfiles import write_lines_atomically

NAME = "losses.jsonl"
FIRST = 20  # rows that the journal has itself


def first_losses(points: Iterable[TrainingPoint]) -> tuple[tuple[int, float], ...]:
    """The first finite losses by step, by which two equal trainings are found without the file."""
    losses = ((p.step, p.loss) for p in points if p.loss is not None and isfinite(p.loss))
    return tuple(islice(losses, FIRST))


def write_series(folder: Path, points: Sequence[TrainingPoint]) -> dict[str, Json]:
    """Write the losses; return the facts for the journal: the file's name, its digest and the step count."""
    rows = [json.dumps([point.step, point.loss]) for point in points if point.loss is not None]
    write_lines_atomically(folder / NAME, rows)
    facts = {"name": NAME, "sha256": digest_file(folder / NAME)["sha256"], "steps": len(rows)}
    return {**facts, "first": [list(row) for row in first_losses(points)]}


def read_series(folder: Path, facts: Json) -> tuple[tuple[int, float], ...]:
    """The losses by step; empty where none were stored. Raises LedgerError where the file was changed."""
    path = folder / NAME
    if not facts or not path.is_file():
        return ()
    if digest_file(path)["sha256"] != facts["sha256"]:
        raise LedgerError(f"{path} was changed since the run", hint="restore it, or remove it")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return tuple((int(step), float(loss)) for step, loss in rows)
