"""Shell completion of names: experiments, runs, codes and lockfiles.

If they cannot be read, nothing is offered and no message is printed.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from ledger.errors import LedgerError

if TYPE_CHECKING:
    from ledger.workspace import Workspace


def experiments(_ctx: click.Context, _param: click.Parameter, typed: str) -> list[str]:
    """The specs in `experiments/`."""

    def specs(workspace: "Workspace") -> list[str]:
        from ledger.specs.loader import names

        return names(workspace.experiments)

    return _starting(typed, _read(specs))


def runs(_ctx: click.Context, _param: click.Parameter, typed: str) -> list[str]:
    """The recorded experiments, which name their latest run; run ids once a hyphen is typed."""

    def recorded(workspace: "Workspace") -> list[str]:
        from ledger.journal.runs import load_runs

        return [run.id if "-" in typed else run.experiment for run in load_runs(workspace)]

    return _starting(typed, _read(recorded))


def runs_and_experiments(ctx: click.Context, param: click.Parameter, typed: str) -> list[str]:
    """Both, for commands that also take an experiment that never ran."""
    return _starting(typed, [*experiments(ctx, param, typed), *runs(ctx, param, typed)])


def runs_or_files(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Runs, or files if no run matches."""
    return _or_files(typed, runs(ctx, param, typed))


def codes(_ctx: click.Context, _param: click.Parameter, typed: str) -> list[str]:
    """The guards' codes, in upper or lower case."""
    from guards.registry import by_code

    return _starting(typed.upper(), by_code())


def lockfiles(_ctx: click.Context, _param: click.Parameter, typed: str) -> list[CompletionItem]:
    """The environments in `lockfiles/` without their variants, or files if none matches."""

    def pinned(workspace: "Workspace") -> list[str]:
        return sorted(path.stem.removesuffix("-cpu") for path in workspace.lockfiles.glob("*.txt"))

    return _or_files(typed, _starting(typed, _read(pinned)))


def _read(names: "Callable[[Workspace], list[str]]") -> list[str]:
    from ledger.workspace import Workspace

    with suppress(LedgerError, OSError):
        if workspace := Workspace.find_if_any():
            return names(workspace)
    return []


def _starting(typed: str, names: Iterable[str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name.startswith(typed) and name.isprintable()]


def _or_files(typed: str, names: Iterable[str]) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names] or [CompletionItem(typed, type="file")]
