"""`ledger diff-env --api`: changes to the classes and functions that the experiment's code uses."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from ledger.commands.diff_env.defaults import build_side, models_of
from ledger.commands.diff_env.sources import SideSource
from ledger.commands.reporter import Reporter
from ledger.evidence.environment import EnvironmentSide
from ledger.evidence.suspects import Kind, Suspect
from ledger.journal.run import Run
from ledger.specs.generation import Generation
from ledger.specs.training import ModelConfig, TrainingSettings
from ledger.workspace import Workspace
from runners import worker
from runners.environments.api_changes import ApiChange, changes, site_packages, used_by
from runners.worker.models.families import FAMILIES

_LAST_PART = ("ForConditionalGeneration", "MTModel")


def api_changes(
    sides: Sequence[tuple[SideSource, EnvironmentSide]],
    suspects: Sequence[Suspect],
    experiment: str | None,
    workspace: Workspace | None,
    voice: Reporter,
) -> tuple[ApiChange, ...]:
    """The changes between two sides, in the order of the suspect packages.

    The code is the worker's own and the scripts of recorded commands. Both environments are built where they
    are not built yet.
    """
    runs = [source.run for source, _ in sides]
    families = {one.family for one in models_of(experiment, runs, workspace)}
    given = (*TrainingSettings.model_fields, *ModelConfig.model_fields, *Generation.model_fields)
    used = used_by(_code(runs, workspace), {"transformers": _classes(families)}, given)
    folders = [site_packages(build_side(source, side, workspace, voice).python) for source, side in sides]
    packages = [one.name.replace("-", "_") for one in suspects if one.kind is Kind.PACKAGE]
    return tuple(
        change
        for package in dict.fromkeys(packages)
        if package in used.names
        for change in changes(package, folders[0], folders[1], used)
    )


def _code(runs: Iterable[Run | None], workspace: Workspace | None) -> list[Path]:
    own = sorted(Path(worker.__path__[0]).rglob("*.py"))
    commands = [run.command for run in runs if run is not None]
    root = workspace.root if workspace else Path()
    scripts = [root / word for command in commands for word in command if str(word).endswith(".py")]
    return [*own, *(path for path in dict.fromkeys(scripts) if path.is_file())]


def _classes(families: Iterable[str]) -> list[str]:
    """The families' classes, which the worker looks up by name."""
    found: list[str] = []
    for name in sorted(families):
        family = FAMILIES[name]
        stem = family.model_class
        for last in _LAST_PART:
            stem = stem.removesuffix(last)
        found += [
            family.model_class,
            f"{stem}Config",
            family.tokenizer_class,
            f"{family.tokenizer_class}Fast",
        ]
    return found
