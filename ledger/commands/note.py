"""`ledger note` and `ledger skip`: remarks, and decisions not to run, in the journal."""

from ledger.errors import UsageError
from ledger.git import status
from ledger.journal.annotations import NOTE, SKIP, Decision, Note
from ledger.journal.runs import find_run, load_runs, nearest
from ledger.journal.store import open_journal
from ledger.specs import names as spec_names
from ledger.utils.redaction import scrub_text
from ledger.workspace import Workspace


def note(workspace: Workspace, about: str, text: str) -> Note:
    """Record a note about a run, or about the experiment of that name as a whole.

    A note on a run goes to that run's journal. Raises UsageError where there is no such run or experiment.
    """
    text = _required(text, "a note needs its text", 'ledger note exp7 "the same model as exp5"')
    run = None if about in spec_names(workspace.experiments) else find_run(workspace, about)
    if run and run.experiment == about:
        run = None
    name = run.experiment if run else about
    who = status.user_name(workspace.root)
    about_run = run.id if run else None
    body = {"run": about_run, "experiment": name, "text": text, "who": who}
    entry = open_journal(workspace, run.mode if run else "real").append(NOTE, body)
    return Note(about_run, name, text, who, entry.time)


def skip(workspace: Workspace, experiment: str, why: str) -> Decision:
    """Record the decision not to run an experiment. It holds until the experiment is run after all."""
    why = _required(why, "a decision not to run needs its reason", 'give it with: --why "…"')
    known = spec_names(workspace.experiments)
    if experiment not in known and not _was_run(workspace, experiment):
        hint = f"known: {', '.join(known)}" if known else nearest(load_runs(workspace), experiment)
        raise UsageError(f"no experiment is called {experiment!r}", hint=hint)
    who = status.user_name(workspace.root)
    body = {"experiment": experiment, "why": why, "who": who}
    entry = open_journal(workspace, "real").append(SKIP, body)
    return Decision(**body, time=entry.time)


def _was_run(workspace: Workspace, name: str) -> bool:
    try:
        return find_run(workspace, name).experiment == name
    except UsageError:
        return False


def _required(text: str, otherwise: str, hint: str) -> str:
    if not text.strip():
        raise UsageError(otherwise, hint=hint)
    return scrub_text(text.strip())
