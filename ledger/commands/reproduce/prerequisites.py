"""The prerequisites of repeating a run: everything missing is listed before anything runs.

Files that git ignores (data, model folders) are taken from the repository if their digest is the recorded
one, and linked into the work tree.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from guards import registry
from ledger.commands.env import choose, named
from ledger.commands.reporter import Reporter
from ledger.commands.run.command.read_files import named_files
from ledger.commands.run.data_files import describe_model
from ledger.commands.run.generation_inputs import read_generation_inputs
from ledger.commands.run.training.forecasting_inputs import read_forecasting_inputs
from ledger.commands.run.training.inputs import read_training_inputs
from ledger.errors import LedgerError
from ledger.findings import Json
from ledger.git.patch import NAME, put_back
from ledger.git.worktree import has_commit
from ledger.journal.run import RecordedFile, Run
from ledger.specs import AnySpec, ForecastingSpec, TrainingSpec, load_experiment
from ledger.utils.hashing import digest_file
from ledger.utils.paths import relative_if_inside
from ledger.utils.plural import and_more
from ledger.utils.redaction import HIDDEN
from ledger.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Missing:
    """One prerequisite that is not available, and why."""

    name: str
    reason: str

    def to_json(self) -> dict[str, Json]:
        """For `--json` and the record."""
        return {"piece": self.name, "reason": self.reason}


def in_record(workspace: Workspace, run: Run) -> Iterator[Missing]:
    """What is missing in the record and the repository, before a work tree is made."""
    done = run.finished
    if done is None or (run.status == "failed" and "exit_code" not in done):
        yield Missing("result", f"the run is {run.status}: there is nothing to compare with")
    if parent := (run.started.get("data") or {}).get("parent"):
        yield Missing("parent", f"it redid lines of {parent.get('run')}: reproduce that run")
    commit = run.commit
    if commit is None:
        yield Missing("commit", "the run was made before the first commit, or outside git")
    elif not has_commit(workspace, commit):
        yield Missing("commit", f"{commit[:12]} is not in this repository; try: git fetch --all")
    yield from _patch_missing(workspace, run, run.git)
    if any(HIDDEN in part for part in run.command):
        yield Missing("command", "a secret in it was masked when it was recorded")


def in_tree(workspace: Workspace, run: Run, tree: Workspace) -> Iterator[Missing]:
    """What is missing in a work tree of the run's commit. Applies the patch and links the data."""
    git = run.git
    if (git.get("patch") or {}) and (patch := find_patch(workspace, run)) is not None:
        try:
            put_back(patch, tree.root)
        except LedgerError as error:
            yield Missing("patch", f"does not fit the commit: {error.message}")
    if run.mode == "command":
        yield from _new_files_missing(workspace, git, tree)
        yield from _reads_missing(workspace, run, tree)
        yield from _program_missing(run, tree)
        return
    yield from _lockfile_missing(run, tree)
    try:
        spec = load_spec(run, tree)
    except LedgerError as error:
        yield Missing("spec", error.message)
        return
    if spec.digest != run.spec_digest:
        yield Missing("spec", "at this commit, with this patch, it differs from the spec that was run")
    yield from _data_missing(workspace, run, tree, spec)


def environment_missing(
    name: str | None, tree: Workspace, allowed: frozenset[str], reporter: Reporter
) -> Iterator[Missing]:
    """Why the environment `name` is not available, if so; it is built if need be."""
    try:
        choice = choose(named(name, tree), allowed, reporter)
    except LedgerError as error:
        yield Missing("environment", f"{error.message} ({error.hint})" if error.hint else error.message)
        return
    for finding in choice.report.findings:
        yield Missing("environment", finding.message)


def load_spec(run: Run, tree: Workspace, overrides: tuple[str, ...] = ()) -> AnySpec:
    """The spec in the work tree, with the overrides of the run, and `overrides` over these."""
    all_overrides = (*run.overrides, *overrides)
    return load_experiment(run.experiment, tree.experiments, all_overrides, rate_codes=registry.rated())


def find_patch(workspace: Workspace, run: Run) -> Path | None:
    """The unaltered patch: in the run's folder, or among MLflow's artifacts in this repository."""
    sha256 = run.git["patch"]["sha256"]
    sent = (workspace.private / "mlartifacts").glob(f"{run.experiment}*/*/artifacts/{NAME}")
    paths = [workspace.runs / run.id / NAME, *sorted(sent)]
    return next((path for path in paths if path.is_file() and digest_file(path)["sha256"] == sha256), None)


def _patch_missing(workspace: Workspace, run: Run, git: Mapping[str, Json]) -> Iterator[Missing]:
    changed = git.get("changed") or []
    if not changed:
        return
    if "patch" not in git:
        yield Missing("patch", f"{and_more(changed, 3)} had uncommitted changes, which this run did not save")
    elif git.get("patch_refused"):
        yield Missing("patch", f"the uncommitted changes were not saved: {git['patch_refused']}")
    elif git["patch"] and find_patch(workspace, run) is None:
        path = git["patch"]["path"]
        there = (workspace.root / path).exists()
        yield Missing("patch", f"{path} {'has changed since' if there else 'is gone'}")


def _new_files_missing(workspace: Workspace, git: Mapping[str, Json], tree: Workspace) -> Iterator[Missing]:
    """Untracked files that were too large for the patch: a command may have read any of them."""
    for facts in git.get("untracked") or ():
        same = _is_file(facts["sha256"]) if "sha256" in facts else _has_size(facts["bytes"])
        yield from _placed(f"file {facts['path']}", facts["path"], workspace, tree, same)


def _reads_missing(workspace: Workspace, run: Run, tree: Workspace) -> Iterator[Missing]:
    """Files that git ignores and the command read; in records without them, those that its words name."""
    for facts in run.result.get("reads") or ():
        same = _is_file(facts["sha256"]) if "sha256" in facts else _has_size(facts["bytes"])
        yield from _placed(f"file {facts['path']}", facts["path"], workspace, tree, same)
    if "reads" in run.result:
        return
    here = workspace.root / run.folder
    for path in named_files(run.command, here):
        name = relative_if_inside(path, workspace.root)
        if path.resolve().is_relative_to(workspace.root) and not (tree.root / name).exists():
            yield Missing(
                f"file {name}", "git does not hold it, and the record has no digest of what was read"
            )


def _program_missing(run: Run, tree: Workspace) -> Iterator[Missing]:
    folder = folder_of(run, tree)
    program = run.command[0]
    if not folder.is_dir():
        yield Missing("folder", f"{run.folder} is not in the commit")
    elif "/" in program and not Path(program).is_absolute():
        if not (folder / program).exists():
            yield Missing("program", f"{program} is not in the commit")
    elif shutil.which(program) is None:
        yield Missing("program", f"{program} is not installed")


def folder_of(run: Run, tree: Workspace) -> Path:
    """The folder in the work tree in which a recorded command was called."""
    return tree.root / run.folder


def _lockfile_missing(run: Run, tree: Workspace) -> Iterator[Missing]:
    recorded = run.lockfile
    if not recorded:
        return
    path = tree.root / recorded["path"]
    if not path.is_file():
        yield Missing("lockfile", f"{recorded['path']} is not in the commit")
    elif f"sha256:{digest_file(path)['sha256']}" != recorded["digest"]:
        yield Missing("lockfile", f"{recorded['path']} differs from the recorded one at this commit")


def _data_missing(workspace: Workspace, run: Run, tree: Workspace, spec: AnySpec) -> Iterator[Missing]:
    if run.is_rehearsal:
        yield from _rehearsal_missing(run.data, _rehearsal_data(spec, tree))
        return
    for role, file in run.data.items():
        is_model = role == "model"
        same = _is_folder(file.sha256, tree) if is_model else _is_file(file.sha256)
        yield from _placed(role if is_model else f"data {role}", file.path, workspace, tree, same)


def _rehearsal_data(spec: AnySpec, tree: Workspace) -> Mapping[str, Json]:
    if isinstance(spec, TrainingSpec):
        return read_training_inputs(spec, tree, rehearsal=True).data
    if isinstance(spec, ForecastingSpec):
        return read_forecasting_inputs(spec, tree, rehearsal=True).data
    return read_generation_inputs(spec, tree, rehearsal=True).data


def _rehearsal_missing(recorded: Mapping[str, RecordedFile], now: Mapping[str, Json]) -> Iterator[Missing]:
    """A rehearsal's text and tiny model belong to this program, and may have changed since."""
    for role, file in recorded.items():
        if (now.get(role) or {}).get("sha256") != file.sha256:
            yield Missing(f"rehearsal {role}", "this version of ledger uses another one")


def _placed(
    name: str, path: str, workspace: Workspace, tree: Workspace, same: Callable[[Path], bool]
) -> Iterator[Missing]:
    """Make sure that `path` in the work tree is unchanged, if need be by a link to the repository's own."""
    here, there = tree.root / path, workspace.root / path
    if here.exists() and same(here):
        return
    if there.exists() and same(there):
        if here.is_file() or here.is_symlink():
            here.unlink()
        elif here.is_dir():
            shutil.rmtree(here)
        here.parent.mkdir(parents=True, exist_ok=True)
        here.symlink_to(there.resolve())
        return
    yield Missing(name, f"{path} {'has changed since' if there.exists() or here.exists() else 'is gone'}")


def _is_file(sha256: str | None) -> Callable[[Path], bool]:
    return lambda path: path.is_file() and digest_file(path)["sha256"] == sha256


def _has_size(size: int) -> Callable[[Path], bool]:
    return lambda path: path.is_file() and path.stat().st_size == size


def _is_folder(sha256: str | None, tree: Workspace) -> Callable[[Path], bool]:
    return lambda path: (describe_model(str(path), tree) or {}).get("sha256") == sha256
