"""`ledger note` and `ledger skip`: remarks, and decisions not to run, in the journal."""

from collections.abc import Sequence

from ledger.errors import UsageError
from ledger.git import status
from ledger.journal.annotations import NOTE, SKIP, Decision, Note
from ledger.journal.run import Run
from ledger.journal.runs import find, load_runs, nearest
from ledger.journal.store import open_journal
from ledger.specs import names as spec_names
from ledger.utils.redaction import scrub_text
from ledger.workspace import Workspace


def note(workspace: Workspace, about: str, text: str) -> Note:
    """Record a note about a run, or about the experiment of that name as a whole.

    A note on a run goes to that run's journal. Raises UsageError where there is no such run or experiment.
    """
    text = _required(text, "a note needs its text", 'ledger note exp7 "the same model as exp5"')
    runs = load_runs(workspace)
    run = None if _is_experiment(workspace, runs, about) else find(runs, about)
    name = run.experiment if run else about
    who = status.user_name(workspace.root)
    about_run = run.id if run else None
    body = {"run": about_run, "experiment": name, "text": text, "who": who}
    entry = open_journal(workspace, run.mode if run else "real").append(NOTE, body)
    return Note(about_run, name, text, who, entry.time)


def skip(workspace: Workspace, experiment: str, why: str) -> Decision:
    """Record the decision not to run an experiment. It holds until the experiment is run after all."""
    why = _required(why, "a decision not to run needs its reason", 'give it with: --why "…"')
    runs = load_runs(workspace)
    if not _is_experiment(workspace, runs, experiment):
        known = spec_names(workspace.experiments)
        hint = f"known: {', '.join(known)}" if known else nearest(runs, experiment)
        raise UsageError(f"no experiment is called {experiment!r}", hint=hint)
    who = status.user_name(workspace.root)
    body = {"experiment": experiment, "why": why, "who": who}
    entry = open_journal(workspace, "real").append(SKIP, body)
    return Decision(**body, time=entry.time)


def _is_experiment(workspace: Workspace, runs: Sequence[Run], name: str) -> bool:
    return name in spec_names(workspace.experiments) or any(run.experiment == name for run in runs)


def _required(text: str, otherwise: str, hint: str) -> str:
    if not text.strip():
        raise UsageError(otherwise, hint=hint)
    return scrub_text(text.strip())
