"""`ledger ps`: runs that are running, stalled or interrupted, and whether their inputs changed meanwhile."""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from ledger.errors import LedgerError
from ledger.findings import Json
from ledger.git import status
from ledger.journal.live import describe_live, read_live
from ledger.journal.run import Run
from ledger.journal.runs import load_runs
from ledger.specs import load_experiment
from ledger.utils.hashing import digest_file
from ledger.utils.mapping_diff import differences, listed
from ledger.utils.plural import and_more
from ledger.workspace import Workspace

State = Literal["running", "stalled", "interrupted"]


@dataclass(frozen=True, slots=True)
class Process:
    """One run that has not ended. `silent` is the seconds since it last wrote to its folder.

    `pid` is None where the process has ended; `changed` lists inputs that differ from those at the start;
    `doing` is its stage, step, loss, time left and checkpoints in one line.
    """

    run: str
    experiment: str
    mode: str
    started: str
    state: State
    silent: float | None
    pid: int | None
    changed: tuple[str, ...]
    doing: str = ""

    def to_json(self) -> dict[str, Json]:
        """The process in the document of `--json`."""
        return asdict(self)


def processes(workspace: Workspace, stalled_after: float) -> list[Process]:
    """The runs that have not ended, oldest first.

    A run that wrote nothing for `stalled_after` seconds has stalled. Interrupted runs are left out if their
    experiment was run again in the same mode.
    """
    runs = load_runs(workspace)
    newest = {(run.experiment, run.mode): run.id for run in runs}
    shown = [
        run
        for run in runs
        if run.status == "running"
        or (run.status == "interrupted" and newest[run.experiment, run.mode] == run.id)
    ]
    return [_process(workspace, run, stalled_after) for run in shown]


def _process(workspace: Workspace, run: Run, stalled_after: float) -> Process:
    folder = workspace.runs / run.id
    state, silent = state_of(workspace, run, stalled_after)
    return Process(
        run=run.id,
        experiment=run.experiment,
        mode=run.mode,
        started=run.time,
        state=state,
        silent=silent,
        pid=None if state == "interrupted" else _pid(folder),
        changed=tuple(_changed(workspace, run)),
        doing="" if state == "interrupted" else describe_live(read_live(folder)),
    )


def state_of(workspace: Workspace, run: Run, stalled_after: float) -> tuple[State, float | None]:
    """The state of a run that has not ended, and the seconds since it last wrote to its folder, if known."""
    silent = _silent(workspace.runs / run.id)
    if run.status != "running":
        return "interrupted", silent
    return "stalled" if silent is not None and silent > stalled_after else "running", silent


def _silent(folder: Path) -> float | None:
    """Seconds since the last write in the run's folder."""
    times = []
    for path in folder.rglob("*"):
        with suppress(OSError):  # a shard may have been deleted meanwhile
            times.append(path.stat().st_mtime)
    return max(0.0, time.time() - max(times)) if times else None


def _pid(folder: Path) -> int | None:
    with suppress(OSError, ValueError):
        return int((folder / "pid").read_text())
    return None


def _changed(workspace: Workspace, run: Run) -> Iterator[str]:
    """What has changed since the run began: its spec, its data, the code."""
    yield from _changed_spec(workspace, run)
    began = datetime.fromisoformat(run.time).timestamp()
    yield from _changed_data(workspace, run, began)
    yield from _changed_code(workspace, run, began)


def _changed_spec(workspace: Workspace, run: Run) -> Iterator[str]:
    if not run.spec:
        return
    try:
        spec = load_experiment(run.experiment, workspace.experiments, run.overrides)
    except LedgerError as error:
        yield f"its spec can no longer be read: {error.message}"
        return
    if found := tuple(differences(run.spec, spec.digested())):
        yield f"spec: {listed(found)}"


def _changed_data(workspace: Workspace, run: Run, began: float) -> Iterator[str]:
    for role, file in run.data.items():
        path = workspace.root / file.path
        if file.sha256 is None or run.is_rehearsal or path.is_dir():
            continue
        if not path.exists():
            yield f"{role}: {file.path} is gone"
        # Files may be large: only those written since are read.
        elif path.stat().st_mtime > began and digest_file(path)["sha256"] != file.sha256:
            yield f"{role}: {file.path} has changed"


def _changed_code(workspace: Workspace, run: Run, began: float) -> Iterator[str]:
    """Python files that differ from the run's commit and were written since it began."""
    if run.commit is None:
        return
    files = [name for name in status.changed_since(workspace.root, run.commit) if name.endswith(".py")]
    touched = [name for name in files if _written_since(workspace.root / name, began)]
    if touched:
        yield f"code: {and_more(touched, 3)}"


def _written_since(path: Path, began: float) -> bool:
    try:
        return path.stat().st_mtime > began
    except OSError:
        return True  # deleted since
