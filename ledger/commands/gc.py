"""`ledger gc`: deletes checkpoints that failed, were never verified, or are superseded, and records each.

A checkpoint is first renamed, then its deletion is recorded, then its files are removed, those that only
resuming needs before the weights. An interrupted call leaves a renamed folder, which the next one finishes.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from guards.training.metric_direction import higher_is_better
from ledger.checkpoints.folders import CHECKPOINT, RESUME_ONLY, list_checkpoints
from ledger.checkpoints.levels import standing
from ledger.checkpoints.marks import is_verified
from ledger.checkpoints.retention import RetentionDecision, SavedCheckpoint, State, decide
from ledger.environments.diff.from_journal import VERIFIED
from ledger.errors import LedgerError, UsageError
from ledger.findings import Json, Report, Verdict
from ledger.git import status
from ledger.git.client import GitError, paths, top_of
from ledger.importers.trainer_state import TrainerState, read_trainer_state
from ledger.journal.annotations import notes
from ledger.journal.run import Run
from ledger.journal.runs import load_record
from ledger.journal.store import Entry, open_journal
from ledger.specs.loader import names
from ledger.utils.json_values import to_number
from ledger.utils.paths import relative_if_inside
from ledger.workspace import Workspace

DELETED = "checkpoint.deleted"
DOOMED = ".deleted-"  # prefix of a folder whose files are being removed


@dataclass(frozen=True, slots=True)
class Request:
    """What to keep of which `folders`; without any, of all that recorded runs wrote.

    `metric` names an evaluation in the Trainer's log; None takes the one that the Trainer chose the best
    checkpoint by, where there is one.
    """

    folders: tuple[Path, ...] = ()
    last: int = 1
    best: int = 1
    metric: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The decisions on the checkpoints, by folder, and `unfinished`: what an interrupted call left."""

    decisions: tuple[RetentionDecision, ...]
    unfinished: tuple[Path, ...]

    @property
    def doomed(self) -> list[SavedCheckpoint]:
        """The checkpoints to delete."""
        return [one.checkpoint for one in self.decisions if not one.keep]


def plan(workspace: Workspace, request: Request) -> Plan:
    """Look at the checkpoints and decide. Raises UsageError for a folder without checkpoints."""
    runs, entries = load_record(workspace)
    folders = [folder.resolve() for folder in request.folders] or _recorded_folders(workspace, runs)
    for folder in folders:
        if not list_checkpoints(folder) and not _unfinished(folder):
            raise UsageError(
                f"{folder} has no checkpoint-* folders", hint="name the output folder of a training"
            )
    record = Record(workspace, runs, entries, request.metric)
    decisions = [
        decision
        for folder in folders
        for decision in decide(record.describe(folder), last=request.last, best=request.best)
    ]
    return Plan(tuple(decisions), tuple(path for folder in folders for path in _unfinished(folder)))


def carry_out(workspace: Workspace, planned: Plan) -> None:
    """Delete what the plan says. Raises LedgerError where a checkpoint cannot be deleted."""
    who = status.user_name(workspace.root)
    runs, entries = load_record(workspace)
    recorded = {str(entry.body.get("checkpoint")) for entry in entries if entry.kind == DELETED}
    for path in planned.unfinished:
        checkpoint = path.with_name(path.name.removeprefix(DOOMED))
        if relative_if_inside(checkpoint, workspace.root) not in recorded:
            _record(
                workspace, runs, checkpoint, {"state": None, "bytes": None, "why": "interrupted", "who": who}
            )
        _remove(path)
    for decision in planned.decisions:
        if decision.keep:
            continue
        one = decision.checkpoint
        hidden = one.path.with_name(DOOMED + one.path.name)
        _rename(one.path, hidden)
        facts = {"state": one.state, "bytes": one.size, "why": decision.reason, "who": who}
        _record(workspace, runs, one.path, facts)
        _remove(hidden)


class Record:
    """What journal, specs, notes and links say of checkpoints."""

    def __init__(
        self, workspace: Workspace, runs: Sequence[Run], entries: Sequence[Entry], metric: str | None
    ) -> None:
        self._root = workspace.root
        self._runs = runs
        self._metric = metric
        self._verdicts = standing(entry.body for entry in entries if entry.kind == VERIFIED)
        self._notes = [note.text for note in notes(entries)]
        self._specs = [
            (workspace.experiments / f"{name}.yaml").read_text(encoding="utf-8", errors="replace")
            for name in names(workspace.experiments)
        ]

    def describe(self, folder: Path) -> list[SavedCheckpoint]:
        """The checkpoints of one folder. Reads every file of those that have a mark."""
        found = list_checkpoints(folder)
        links = dict(_links(folder))
        state = read_trainer_state(found[-1]) if found else TrainerState()
        scores = _scores(state, self._metric)
        tracked = _tracked(folder)
        return [
            SavedCheckpoint(
                path=path,
                step=int(path.name.removeprefix("checkpoint-")),
                state=self._state(path),
                size=_size(path),
                score=scores.get(int(path.name.removeprefix("checkpoint-"))),
                bound=self._bound(path, state, links, tracked),
            )
            for path in found
        ]

    def _state(self, path: Path) -> State:
        if is_verified(path):
            return "verified"
        verdicts = [body for body in self._verdicts if body["checkpoint"] == self._shown(path)]
        failed = any(Verdict(body["verdict"]) is Verdict.FAIL for body in verdicts)
        return "failed" if failed else "unverified"

    def _bound(
        self, path: Path, state: TrainerState, links: Mapping[Path, Path], tracked: Sequence[Path]
    ) -> str:
        """Why this checkpoint must stay; empty where nothing binds it."""
        if path.is_symlink():
            return "a link"
        if path in links:
            return f"{links[path].name} links to it"
        if any(file.is_relative_to(path) for file in tracked):
            return "tracked by git"
        if run := self._writer(path):
            return f"{run.id} is running"
        if state.best_checkpoint and Path(state.best_checkpoint).name == path.name:
            return "the Trainer's best"
        return self._named(path) or self._accepted(path)

    def _writer(self, path: Path) -> Run | None:
        """A run that is going on, and may have written this checkpoint."""
        return next(
            (
                run
                for run in self._runs
                if run.status == "running"
                and (run.output is None or path.is_relative_to(self._root / run.output.path))
            ),
            None,
        )

    def _named(self, path: Path) -> str:
        """Which run, spec or note names it."""
        shown, inside = self._shown(path), f"{path.parent.name}/{path.name}"
        for run in self._runs:
            asked = [*_texts(run.spec), *run.command]
            if any(_names(text, shown) or _names(text, inside) for text in asked):
                return f"named by {run.id}"
        if any(_names(text, shown) or _names(text, inside) for text in self._specs):
            return "named by a spec"
        return "named by a note" if any(_names(text, path.name) for text in self._notes) else ""

    def _accepted(self, path: Path) -> str:
        """That its failing findings were all accepted."""
        runs = {run.id: run for run in self._runs}
        for body in self._verdicts:
            run = runs.get(str(body.get("run")))
            if body["checkpoint"] == self._shown(path) and body["verdict"] == Verdict.FAIL and run:
                report = Report.from_json(body["report"])
                accepted = {one.code: one.why for one in run.acceptances}
                if accepted and report.accept(accepted).verdict is not Verdict.FAIL:
                    return "accepted"
        return ""

    def _shown(self, path: Path) -> str:
        return relative_if_inside(path, self._root)


def _names(text: str, name: str) -> bool:
    """Whether a text has this path as a whole: checkpoint-50 is not named by checkpoint-500."""
    before, found, after = text.partition(name)
    while found:
        if not after[:1].isalnum() and not before[-1:].isalnum():
            return True
        before, found, after = after.partition(name)
    return False


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


def _scores(state: TrainerState, metric: str | None) -> dict[int, float]:
    """The metric of each evaluated step, so that higher is better.

    Raises UsageError for a metric of which nobody knows the direction.
    """
    if metric is None:
        names = {key for row in state.log for key, value in row.items() if value == state.best}
        known = sorted(
            name for name in names if state.best is not None and higher_is_better(name) is not None
        )
        if not known:
            return {}
        metric = known[0]
    direction = higher_is_better(metric)
    if direction is None:
        raise UsageError(
            f"{metric} may be better high or low", hint="name a metric such as eval_bleu or eval_loss"
        )
    rows = ((to_number(row.get("step")), to_number(row.get(metric))) for row in state.log)
    return {
        int(step): value if direction else -value
        for step, value in rows
        if step is not None and value is not None
    }


def _recorded_folders(workspace: Workspace, runs: Sequence[Run]) -> list[Path]:
    """The folders that recorded runs saved checkpoints into, where there still are some."""
    shown = {
        *(row.path.rpartition("/")[0] for run in runs for row in run.checkpoints if row.path),
        *(run.output.path for run in runs if run.is_training and run.output),
    }
    folders = sorted({(workspace.root / path).resolve() for path in shown})
    return [folder for folder in folders if list_checkpoints(folder) or _unfinished(folder)]


def _unfinished(folder: Path) -> list[Path]:
    """What an interrupted call left in a folder."""
    found = (path for path in folder.glob(f"{DOOMED}checkpoint-*") if path.is_dir())
    return sorted(path for path in found if CHECKPOINT.fullmatch(path.name.removeprefix(DOOMED)))


def _links(folder: Path) -> Iterator[tuple[Path, Path]]:
    """The checkpoints that a link in the folder, next to it, or in another checkpoint leads to."""
    places = [folder, folder.parent, *list_checkpoints(folder)]
    for place in places:
        for path in place.iterdir():
            if path.is_symlink():
                target = path.resolve()
                for inside in (target, *target.parents):
                    if inside.parent == folder and inside != place:
                        yield inside, path


def _tracked(folder: Path) -> list[Path]:
    """The files in it that git tracks; none outside of a repository."""
    try:
        top = top_of(folder)
        return [Path(top) / name for name in paths(top, "ls-files", "-z", "--", str(folder))]
    except GitError:
        return []


def _size(path: Path) -> int:
    return sum(below.lstat().st_size for below in path.rglob("*") if not below.is_dir())


def _rename(path: Path, target: Path) -> None:
    try:
        path.rename(target)
    except OSError as error:
        raise LedgerError(
            f"{path} cannot be deleted: {error.strerror}", hint="check its permissions"
        ) from error


def _record(workspace: Workspace, runs: Sequence[Run], checkpoint: Path, facts: dict[str, Json]) -> None:
    shown = relative_if_inside(checkpoint, workspace.root)
    run = next((run for run in reversed(runs) if shown in {row.path for row in run.checkpoints}), None)
    body = {"run": run.id if run else None, "experiment": run.experiment if run else None}
    open_journal(workspace, run.mode if run else "real").append(
        DELETED, {**body, "checkpoint": shown, **facts}
    )


def _remove(folder: Path) -> None:
    """Remove the files that only resuming needs first: most of the bytes, and none of the weights."""
    try:
        for path in folder.iterdir():
            if path.is_file() and RESUME_ONLY.fullmatch(path.name):
                path.unlink()
        shutil.rmtree(folder)
    except OSError as error:
        raise LedgerError(
            f"{error.filename or folder} cannot be deleted: {error.strerror}",
            hint="check its permissions, then repeat: ledger gc --delete",
        ) from error
