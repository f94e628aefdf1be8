"""The model of a rehearsal: found in the cache, or trained by the worker.

Imports neither torch nor transformers.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from ledger.display.progress import Progress
from runners.host.worker_process import Worker, progress_only
from runners.rehearsal.text import LINES, Triple, digest, pairs
from runners.worker.messages import Rehearse
from runners.worker.rehearsal.rehearse import PARTIAL, RECORD

Objective = Literal["translation", "denoising"]

SEED = 7
# How a tiny model is made. Bump it with any change to its initial weights or its batches: models in the cache
# and recorded rehearsals then count as made by another recipe.
RECIPE_VERSION = 1
# Version 1 was recorded as the SHA-256 of the sources that made it, so rehearsals recorded then still match.
_VERSION_1 = "99155efec63b15215a8151897d37ed0c5c628fbdbc9c53df3ceb178f89963cea"


@dataclass(frozen=True, slots=True)
class OwnText:
    """An experiment's own lines in three languages, and the codes of each, the preferred one first."""

    triples: list[Triple]
    names: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A tiny model. `trained_now`: it was trained for this call; `seconds`: how long its training took."""

    folder: Path
    trained_now: bool
    seconds: float


def prepare(
    worker: Worker,
    *,
    family: str,
    objective: Objective,
    environment: str,
    cache: Path,
    on_progress: Callable[[Progress], None],
    own: OwnText | None = None,
) -> Rehearsal:
    """The tiny model of `family` for `objective`, trained in this environment if it is not in `cache`.

    It learns the project's text, or a text of the experiment's `own`.
    `environment` is the digest of the worker's environment: each has its own model. If two processes call at
    once, the second waits for the first. Raises LedgerError when the model cannot be trained.
    """
    triples = own.triples if own else pairs()
    names = own.names if own else ()
    folder = cache / model_name(family, objective, environment, triples, names)
    cache.mkdir(parents=True, exist_ok=True)
    with _alone(cache / f"{folder.name}.lock", on_progress):
        trained_now = not folder.is_dir()
        if trained_now:
            _remove_partial(folder)
            job = Rehearse(family, objective, tuple(triples), LINES, SEED, folder.resolve(), names)
            worker.call(job, progress_only(on_progress))
    record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    return Rehearsal(folder, trained_now, record["seconds"])


def model_name(
    family: str,
    objective: Objective,
    environment: str,
    triples: list[Triple],
    names: tuple[tuple[str, ...], ...] = (),
) -> str:
    """The folder's name in the cache; its last part is a digest over all that the model depends on."""
    parts = [family, objective, environment, str(SEED), str(LINES), digest(triples), recipe_digest()]
    parts += [" ".join(one) for one in names]
    depends_on = hashlib.sha256("\n".join(parts).encode())
    return f"{family}-{objective}-{depends_on.hexdigest()[:12]}"


def recipe_digest(version: int = RECIPE_VERSION) -> str:
    """What identifies the recipe in a record (`data.model.sha256`) and in the cache: a SHA-256 in hex."""
    return _VERSION_1 if version == 1 else hashlib.sha256(f"recipe {version}".encode()).hexdigest()


@contextmanager
def _alone(path: Path, on_progress: Callable[[Progress], None]) -> Iterator[None]:
    """Hold the lock, reporting when another process has it. It is released when its holder ends."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        on_progress(Progress("waiting for another process that trains this tiny model", 0, 1))
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _remove_partial(folder: Path) -> None:
    """Delete the partial folders of trainings that were killed."""
    for left in folder.parent.glob(f"{folder.name}.*{PARTIAL}"):
        shutil.rmtree(left, ignore_errors=True)
