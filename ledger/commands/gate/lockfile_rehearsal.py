"""How an experiment behaves under an old and a new lockfile: two rehearsals, and a checkpoint of the old
one that is reloaded with the new packages.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

from guards.preflight import insufficient_disk
from ledger.checkpoints.folders import list_checkpoints
from ledger.commands.diff_env.compare import compare
from ledger.commands.env import choose
from ledger.commands.gate.context import GateContext
from ledger.commands.run.experiment import AGAIN, RunOutcome, RunRequest, TrainingOutcome, run_experiment
from ledger.commands.verify.values import VerifyRequest
from ledger.commands.verify.verify import verify
from ledger.environments.lockfile import Lockfile, read
from ledger.errors import LedgerError
from ledger.evidence.gate import Behaviour, LockChange, Rehearsed
from ledger.evidence.suspects import Kind
from ledger.findings import Report, Severity, Verdict

Pair = tuple[Lockfile, Lockfile]


def rehearse(
    context: GateContext, experiment: str, lockfile: Path | None = None, label: str = ""
) -> RunOutcome:
    """Rehearse in the environment of the spec, or in that of a lockfile, which messages call `label`.

    Raises LedgerError if it cannot be done.
    """
    context.reporter.say(f"rehearsing {experiment}{f' under {label}' if label else ''}")
    overrides = (f"environment={lockfile}",) if lockfile else ()
    # An earlier rehearsal does not count: the gate asks about the present state.
    request = RunRequest(experiment, rehearse=True, overrides=overrides, allow=frozenset({AGAIN}))
    return run_experiment(context.workspace, request, context.reporter)


def rehearse_both(
    context: GateContext, change: LockChange, pair: Pair
) -> tuple[Rehearsed, frozenset[str] | None]:
    """Rehearse under the old lockfile, then the new one, then reload the old checkpoint under the new one.

    Also returns which distributions the worker under the old one imported. A failure becomes a value.
    """
    labels = _labels(change)
    before, after = (_copy(context, lockfile) for lockfile in pair)
    old, done = _behave(labels[0], lambda: rehearse(context, change.experiment, before, labels[0]))
    new, _ = _behave(labels[1], lambda: rehearse(context, change.experiment, after, labels[1]))
    reload = _reload(context, done, after, labels[1]) if isinstance(done, TrainingOutcome) else None
    imported = frozenset(done.recorded.get("imported", ())) if done else frozenset()
    return Rehearsed(old, new, reload, _defaults(context, old, new)), imported or None


def _copy(context: GateContext, lockfile: Lockfile) -> Path:
    """A permanent copy: the record of a rehearsal refers to it, and `reproduce` may need it."""
    folder = context.workspace.private / "lockfiles" / lockfile.digest.removeprefix("sha256:")[:12]
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(lockfile.path, folder / lockfile.path.name))


def _labels(change: LockChange) -> tuple[str, str]:
    if change.before != change.after:
        return change.before, change.after
    return f"the old {change.before}", f"the new {change.after}"


def _behave(label: str, run: Callable[[], RunOutcome]) -> tuple[Behaviour, RunOutcome | None]:
    try:
        done = run()
    except LedgerError as error:
        return Behaviour(label, None, passed=False, unfinished=error.message), None
    return judge(label, done.report, done.run), done


def judge(label: str, report: Report, run: str | None) -> Behaviour:
    """What a report shows about the environment called `label`; a full disk shows nothing about packages."""
    errors = [f for f in report.findings if f.severity >= Severity.ERROR and f.accepted is None]
    problems = tuple(f"{one.code} {one.message}" for one in errors if one.code != insufficient_disk.CODE)
    no_room = [one.message for one in errors if one.code == insufficient_disk.CODE]
    skipped = [skip.reason for skip in report.skips if skip.required]
    unfinished = "" if problems else "; ".join([*no_room, *skipped])
    return Behaviour(label, run, report.verdict is Verdict.PASS, problems, unfinished)


def _reload(context: GateContext, done: TrainingOutcome, lockfile: Path, label: str) -> Behaviour | None:
    """The newest checkpoint of the old rehearsal, loaded with the new packages."""
    checkpoints = list_checkpoints(done.output) if done.output else []
    if not checkpoints:
        return None
    context.reporter.say(f"reloading {checkpoints[-1].name} of {done.run} under {label}")
    try:
        choice = choose([read(lockfile)], (), context.reporter)
        if choice.report.failing:  # then it is not the requested environment
            return judge(label, choice.report, None)
        request = VerifyRequest((checkpoints[-1],), interpreter=choice.python)
        (verified,) = verify(context.workspace, request, context.reporter)
    except LedgerError as error:
        return Behaviour(label, None, passed=False, unfinished=error.message)
    return judge(label, verified.report, done.run)


def _defaults(context: GateContext, old: Behaviour, new: Behaviour) -> tuple[str, ...]:
    """Effective settings that nobody set and that differ, most suspicious first."""
    if old.run is None or new.run is None:
        return ()
    found = compare(old.run, new.run, context.workspace)
    return tuple(
        f"{one.name} {_shown(one.before)} → {_shown(one.after)}"
        for one in found.suspects
        if one.kind is Kind.SETTING and one.hard
    )


def _shown(value: object) -> str:
    return "absent" if value is None else str(value)
