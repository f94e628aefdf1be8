"""No new result is byte-identical to another experiment's (DUP001), nor a training equal to another (DUP004).

Both are errors here.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from guards.guard import inspect
from guards.identity import duplicate_output, duplicate_training
from ledger.commands.gate.context import Checked, GateContext, unreadable
from ledger.commands.run.training_health import inspect_identity
from ledger.evidence import Evidence
from ledger.evidence.identity import History, RunIdentity
from ledger.findings import Report, Severity, merge
from ledger.journal.run import Run
from ledger.utils.plural import count

NAME = "identical"


def check(context: GateContext) -> Checked:
    """Compare each new run's output with the outputs of all other runs."""
    reason = unreadable(context)
    if reason:
        unread = Evidence().including(RunIdentity, reason)
        return Checked(NAME, "", inspect([duplicate_output], Evidence(), unread))
    outputs, trainings = _outputs(context), _trainings(context)
    report = merge([*outputs, *trainings])
    passed = {duplicate_output.CODE, duplicate_training.CODE} - {one.code for one in report.findings}
    new = sum(bool(run.identity().output) for run in context.new_runs)
    about = f"{count(new, 'new output')}, compared with {count(len(context.runs), 'run')}"
    return Checked(NAME, about, replace(report, passed=tuple(sorted(passed))))


def _outputs(context: GateContext) -> list[Report]:
    new = [run for run in context.new_runs if run.identity().output]
    by_output = _by_output(context.runs)
    reports = [_inspect(run, _others(context, run, by_output)) for run in new]
    return [one for one in reports if one.findings]


def _trainings(context: GateContext) -> list[Report]:
    """Of real runs and imports; the tiny models of two rehearsals may well be trained alike."""
    identities = {run.id: run.training_identity() for run in context.runs if not run.is_rehearsal}
    trained = {run: identity for run, identity in identities.items() if identity.losses}
    reports = []
    for run in (run for run in context.new_runs if run.id in trained):
        others = [
            identity for one, identity in trained.items() if _is_before(context, context.by_id[one], run)
        ]
        reports.append(_as_errors(run, inspect_identity(trained[run.id], others)))
    return [one for one in reports if one.findings]


def _is_before(context: GateContext, other: Run, run: Run) -> bool:
    """Whether the other run is in the base, or earlier on this branch: a pair is reported once."""
    return other.id != run.id and (other.id in context.known or other.time < run.time)


def _others(context: GateContext, run: Run, by_output: Mapping[str, Sequence[Run]]) -> Iterator[Run]:
    """The earlier runs with the same output."""
    for one in dict.fromkeys(one.id for key in _digests(run) for one in by_output[key]):
        other = context.by_id[one]
        if _is_before(context, other, run):
            yield other


def _inspect(run: Run, others: Iterable[Run]) -> Report:
    history, identity = History(tuple(one.identity() for one in others)), run.identity()
    return _as_errors(run, inspect([duplicate_output], Evidence(history), Evidence(identity)))


def _as_errors(run: Run, report: Report) -> Report:
    findings = tuple(
        replace(finding, severity=Severity.ERROR, message=f"{run.id}: {finding.message}")
        for finding in report.findings
    )
    accepted = {one.code: one.why for one in run.acceptances}
    return replace(report, findings=findings).accept(accepted)


def _by_output(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """Runs by each digest of their output, so that ten thousand are not compared one by one."""
    found: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        for digest in _digests(run):
            found[digest].append(run)
    return found


def _digests(run: Run) -> Iterable[str]:
    return run.identity().output.values()
