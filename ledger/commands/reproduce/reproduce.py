"""`ledger reproduce RUN`: repeat a run with the same commit, changes, environment and data, and compare."""

import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from guards.guard import inspect
from ledger.commands.diff_env.compare import compare_sides
from ledger.commands.reporter import Reporter
from ledger.commands.reproduce.artifacts import evidence_of, guards_for
from ledger.commands.reproduce.outcome import Reproduction, body
from ledger.commands.reproduce.prerequisites import (
    Missing,
    environment_missing,
    in_record,
    in_tree,
    load_spec,
)
from ledger.commands.reproduce.rerun import allowed_codes, run_again
from ledger.environments.diff.from_journal import all_entries, environments, side_of_run
from ledger.environments.lockfile import VARIANTS, is_path
from ledger.errors import UsageError
from ledger.findings import Report, Skip
from ledger.git.worktree import checkout
from ledger.journal.run import Run
from ledger.journal.runs import REPRODUCED, find_run
from ledger.journal.store import Journal, open_journal
from ledger.utils.mapping_diff import differences
from ledger.workspace import Workspace

FOLDER = "reproductions"


def reproduce(
    workspace: Workspace,
    name: str,
    reporter: Reporter,
    *,
    overrides: Sequence[str] = (),
    environment: str | None = None,
) -> Reproduction:
    """Repeat the run called `name`, compare the results, and record the comparison.

    `overrides` and `environment` (a lockfile's name) replace settings of the run. Raises UsageError for an
    unknown run or one that cannot be repeated so, LedgerError where it cannot be run again.
    """
    began = time.monotonic()
    run = find_run(workspace, name)
    _refuse(run, [*overrides, *([environment] if environment else [])])
    missing = list(in_record(workspace, run))
    commit = run.commit
    if commit is None or any(one.name == "commit" for one in missing):
        return _not_done(run, missing)
    with checkout(workspace, commit, run.id) as tree:
        _share(workspace, tree, environment)
        changes = (*overrides, *([f"environment={environment}"] if environment else []))
        missing += in_tree(workspace, run, tree)
        if not missing and run.mode != "command":
            wanted = load_spec(run, tree, changes).environment
            missing += environment_missing(wanted, tree, allowed_codes(run), reporter)
        if missing:
            return _not_done(run, missing)
        reporter.say(f"running {run.id} again, at {commit[:12]}")
        again = run_again(run, tree, changes)
        done = _compare(workspace, run, tree, again)
        done = replace(
            done, output_folder=_copy_output(workspace, tree, again), seconds=time.monotonic() - began
        )
        return replace(done, entry=_record(workspace, tree, done))


def _refuse(run: Run, changes: Sequence[str]) -> None:
    if run.mode == "command" and changes:
        raise UsageError("--set and --env are for experiments; a recorded command has no spec")
    if run.mode == "real" and run.is_training:
        raise UsageError(
            f"{run.id} is a real training; only rehearsed trainings are reproduced",
            hint=f"train again, then compare: ledger run {run.experiment} --again",
        )


def _not_done(run: Run, missing: Sequence[Missing]) -> Reproduction:
    code = guards_for(run)[0].CODE
    skips = tuple(Skip(code, f"{one.name}: {one.reason}", required=True) for one in missing)
    return Reproduction(run, Report(skips=skips), missing=tuple(missing))


def _compare(workspace: Workspace, run: Run, tree: Workspace, again: Run) -> Reproduction:
    then, now = evidence_of(workspace, run), evidence_of(tree, again)
    before = side_of_run(run, environments(all_entries(workspace)))
    after = side_of_run(again, environments(all_entries(tree)))
    return Reproduction(
        run=run,
        report=inspect(guards_for(run), then, now),
        expected=then,
        again=again,
        settings=tuple(differences(run.spec, again.spec)),
        comparison=compare_sides(before, after),
    )


def _copy_output(workspace: Workspace, tree: Workspace, again: Run) -> Path | None:
    """Copy the new run's output and logs out of the work tree, but not its checkpoints, which are large."""
    folder = workspace.private / FOLDER / again.id
    work = tree.runs / again.id
    paths = [
        *([tree.root / again.output.path] if again.output else []),
        *work.glob("*.log"),
        *work.glob("*.jsonl"),
    ]
    with suppress(OSError):  # a full disk must not lose the comparison
        found = [path for path in paths if path.is_file() and path.stat().st_size]
        for path in found:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / path.name)
        return folder.relative_to(workspace.root) if found else None
    return None


def _record(workspace: Workspace, tree: Workspace, done: Reproduction) -> str:
    """Record the comparison and the new environment in the journal of the repeated run."""
    assert done.again is not None
    journal = open_journal(workspace, done.run.mode)
    for digest in (done.again.environment, done.again.machine):
        _store_facts(journal, tree, str(digest))
    return journal.append(REPRODUCED, body(done)).id


def _store_facts(journal: Journal, tree: Workspace, digest: str) -> None:
    known = {entry.body["digest"] for entry in journal.entries() if entry.kind == "environment"}
    facts = environments(all_entries(tree)).get(digest)
    if facts is not None and digest not in known:
        journal.append("environment", {"digest": digest, "facts": dict(facts)})


def _share(workspace: Workspace, tree: Workspace, environment: str | None) -> None:
    """Give the work tree the repository's tiny models, and a lockfile that is newer than its commit.

    Tiny models are named by everything that determines them. An environment that was pinned after the run's
    commit is used as it is pinned now.
    """
    workspace.models.mkdir(parents=True, exist_ok=True)
    tree.private.mkdir(exist_ok=True)
    tree.models.symlink_to(workspace.models.resolve(), target_is_directory=True)
    if environment is None or is_path(environment):
        return
    for name in (f"{environment}.in", *(f"{environment}{variant}.txt" for variant in VARIANTS)):
        source, target = workspace.lockfiles / name, tree.lockfiles / name
        if source.is_file() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
