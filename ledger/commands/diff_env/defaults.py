"""`ledger diff-env --effective`: the defaults of the experiment's classes in both environments."""

import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from ledger.commands.diff_env.sources import SideSource
from ledger.commands.reporter import Reporter
from ledger.environments.diff.from_interpreter import side_of_facts
from ledger.environments.diff.from_lockfiles import side_of_lockfile
from ledger.environments.lockfile import Lockfile, read
from ledger.errors import LedgerError, UsageError
from ledger.evidence.environment import EnvironmentSide
from ledger.findings import Json
from ledger.journal.run import Run
from ledger.models.families import Family
from ledger.specs import ForecastingSpec, TrainingSpec, load_experiment
from ledger.specs.generation import Model
from ledger.specs.training import TrainedModel
from ledger.workspace import Workspace
from runners.environments.build import default_cache, ensure
from runners.environments.inspection import facts_of
from runners.host.library_defaults import dump
from runners.worker.messages import ModelClass


@dataclass(frozen=True, slots=True)
class Built:
    """A side and the interpreter of an environment with its packages."""

    side: EnvironmentSide
    python: Path


def build_side(
    source: SideSource, side: EnvironmentSide, workspace: Workspace | None, voice: Reporter
) -> Built:
    """The environment of a side: its interpreter, or one built from the lockfile that pins its packages.

    Raises LedgerError where no lockfile here pins them, or the environment cannot be built.
    """
    if source.interpreter is not None:
        return Built(side, source.interpreter)
    if variants := lockfiles_behind(source, side, workspace):
        with voice.progress("steps") as tell:
            return Built(side, ensure(variants, default_cache(), tell))
    here = Path(sys.executable)
    if side.packages and not side.few and _has(side_of_facts("", facts_of(here)), side):
        return Built(side, here)
    raise LedgerError(
        f"no environment can be built for {side.name}: no lockfile here pins its packages",
        hint="name a lockfile or an interpreter; to get an older lockfile: git show COMMIT:PATH > FILE.txt",
    )


def lockfiles_behind(
    source: SideSource, side: EnvironmentSide, workspace: Workspace | None
) -> tuple[Lockfile, ...]:
    """The lockfiles that pin a side's packages: its own, or those here with exactly the same pins."""
    return source.lockfiles or tuple(_pinning(side, workspace))


def with_defaults(built: Built, models: Iterable[ModelClass], voice: Reporter) -> EnvironmentSide:
    """The side with the effective defaults of its environment among its settings."""
    with voice.progress("looks") as tell, tempfile.TemporaryDirectory() as folder:
        found = dump(built.python, Path(folder) / "worker.log", list(models), tell)
    for label, why in found.unseen.items():
        voice.say(f"{built.side.name}: the defaults of {label} could not be read: {why}")
    settings = {**(built.side.settings or {}), **found.settings}
    chosen = {**built.side.chosen, **found.chosen}
    return replace(built.side, settings=settings, chosen=chosen, partial=False)


def models_of(
    experiment: str | None, runs: Iterable[Run | None], workspace: Workspace | None
) -> list[ModelClass]:
    """The classes in use: of the experiment, else of the compared runs, else of all specs.

    Raises UsageError where the experiment does not exist.
    """
    if workspace is None:
        return [ModelClass("", family) for family in get_args(Family)]
    if experiment is not None:
        return [_of_spec(experiment, workspace)]
    used = [_of_run(run) for run in runs if run is not None]
    every = [
        one for path in sorted(workspace.experiments.glob("*.yaml")) if (one := _tried(path.stem, workspace))
    ]
    found = [one for one in used if one] or every
    return list({(one.family, str(one.config)): one for one in found}.values())


def _tried(name: str, workspace: Workspace) -> ModelClass | None:
    """The class of a spec; None where the spec is invalid or names no known family."""
    try:
        return _of_spec(name, workspace)
    except LedgerError:
        return None


def _of_spec(name: str, workspace: Workspace) -> ModelClass:
    spec = load_experiment(name, workspace.experiments)
    if isinstance(spec, ForecastingSpec):
        raise UsageError(f"{name} is a {spec.task}", hint="name an experiment whose model writes text")
    config = spec.model.config if isinstance(spec, TrainingSpec) else None
    family = spec.model.family if isinstance(spec.model, Model | TrainedModel) else None
    if family is None:
        raise UsageError(
            f"{name} names no family of translation models", hint="name it in the spec: model.family"
        )
    return ModelClass(name, family, config.parameters() if config else {})


def _of_run(run: Run) -> ModelClass | None:
    model: Mapping[str, Json] = run.spec.get("model") or {}
    if not model.get("family"):
        return None
    config = {key: value for key, value in (model.get("config") or {}).items() if key != "vocab_size"}
    return ModelClass(run.experiment, str(model["family"]), config)


def _pinning(side: EnvironmentSide, workspace: Workspace | None) -> Iterable[Lockfile]:
    """The lockfiles of this repository that pin exactly the packages of a side."""
    if workspace is None or not side.packages or side.few:
        return
    for path in sorted((*workspace.lockfiles.glob("*.txt"), *workspace.lockfiles.glob("pylock*.toml"))):
        try:
            lockfile = read(path)
            pinned = side_of_lockfile(lockfile)
            if (pinned.packages or {}).keys() == side.packages.keys() and _has(side, pinned):
                yield lockfile
        except LedgerError:
            continue  # a list of requirements, or a lockfile for another Python


def _has(side: EnvironmentSide, pinned: EnvironmentSide) -> bool:
    """Whether the side has every package of the other at the same version."""
    mine, theirs = side.packages or {}, pinned.packages or {}
    return all(name in mine and mine[name].version == one.version for name, one in theirs.items())
