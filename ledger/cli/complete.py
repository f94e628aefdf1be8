"""What the shell is offered for a name that is typed: experiments, runs and codes; click asks at each TAB.

A TAB is no place for a message: where nothing can be read, nothing is offered.
"""

from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from ledger.errors import LedgerError

if TYPE_CHECKING:
    from ledger.runs import Run


def experiments(_ctx: click.Context, _param: click.Parameter, typed: str) -> list[str]:
    """The specs in `experiments/`."""
    return [name for name in _specs() if name.startswith(typed)]


def runs(_ctx: click.Context, _param: click.Parameter, typed: str) -> list[str]:
    """The recorded experiments, each of which stands for its latest run; run ids once a hyphen is typed."""
    known = _recorded()
    names = dict.fromkeys(run.id if "-" in typed else run.experiment for run in known)
    return [name for name in names if name.startswith(typed)]


def runs_and_experiments(ctx: click.Context, param: click.Parameter, typed: str) -> list[str]:
    """Both, for what can be said of an experiment that never ran."""
    return list(dict.fromkeys([*experiments(ctx, param, typed), *runs(ctx, param, typed)]))


def runs_or_files(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Runs, and files where no run begins so."""
    found = [CompletionItem(name) for name in runs(ctx, param, typed)]
    return found or [CompletionItem(typed, type="file")]


def codes(_ctx: click.Context, _param: click.Parameter, typed: str) -> list[str]:
    """The guards' codes, in either case."""
    from guards.registry import BY_CODE

    return [code for code in BY_CODE if code.startswith(typed.upper())]


def _specs() -> list[str]:
    from ledger.spec.load import names
    from ledger.workspace import Workspace

    try:
        workspace = Workspace.find_if_any()
        return names(workspace.experiments) if workspace else []
    except (LedgerError, OSError):
        return []


def _recorded() -> "list[Run]":
    from ledger.runs import load_runs
    from ledger.workspace import Workspace

    try:
        workspace = Workspace.find_if_any()
        return load_runs(workspace) if workspace else []
    except (LedgerError, OSError):
        return []
