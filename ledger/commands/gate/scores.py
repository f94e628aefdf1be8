"""The newest score of each experiment is no worse than the base's (GAT003)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256

from guards.gate import worse_score
from guards.guard import inspect
from ledger.commands.gate.context import Checked, GateContext, GateTable, unreadable
from ledger.errors import LedgerError
from ledger.evidence import Evidence, Unobserved
from ledger.evidence.gate import ScoreChange, ScoreChanges, Scored, ScoreLimit
from ledger.evidence.metrics import LEVEL, PairedTest
from ledger.findings import Report
from ledger.journal.run import Run
from ledger.utils.plural import count

NAME = "scores"
HEADINGS = ("experiment", "score", "base", "head", "difference", "verdict", "verified")
NAMES = ("bleu", "chrf")  # in the order of `paired_tests`


def check(context: GateContext) -> Checked:
    """Pair each experiment's newest new scored run with the base's newest, and test the difference."""
    reason = unreadable(context)
    if reason:
        unread = Evidence().including(ScoreChanges, reason)
        return Checked(NAME, "", inspect([worse_score], Evidence(), unread))
    pairs = list(_pairs(context))
    changes = tuple(change for old, new in pairs for change in _changes(context, old, new))
    actual = Evidence(ScoreChanges(changes))
    report = inspect([worse_score], Evidence(ScoreLimit(LEVEL)), actual)
    rows = (*(_row(context, change) for change in changes), *_untested(context, pairs))
    tables = (GateTable("scores", HEADINGS, rows),) if rows else ()
    return Checked(
        NAME, f"{count(len(pairs), 'experiment')} with a new score", _accepted(report, context), tables
    )


def _pairs(context: GateContext) -> Iterator[tuple[Run, Run]]:
    scored = [run for run in context.runs if run.metrics.keys() & set(NAMES)]
    old = {run.experiment: run for run in scored if run.id in context.known}
    new = {run.experiment: run for run in scored if run.id not in context.known}
    for experiment, run in new.items():
        if experiment in old:
            yield old[experiment], run


def _changes(context: GateContext, old: Run, new: Run) -> Iterator[ScoreChange]:
    shared = [name for name in NAMES if name in old.metrics and name in new.metrics]
    lines = new.output.lines if new.output else None
    changes = [
        ScoreChange(new.experiment, name, _scored(old, name), _scored(new, name), lines=lines)
        for name in shared
    ]
    if any(one.candidate.metric.signature == one.baseline.metric.signature for one in changes):
        tested = _test(context, old, new)
        changes = [_with_test(change, tested) for change in changes]
    yield from changes


def _with_test(change: ScoreChange, tested: tuple[PairedTest, ...] | Unobserved) -> ScoreChange:
    if isinstance(tested, Unobserved):
        return replace(change, unpaired=tested.reason)
    return replace(change, paired=tested[NAMES.index(change.name)])


def _test(context: GateContext, old: Run, new: Run) -> tuple[PairedTest, ...] | Unobserved:
    """The paired tests on the two stored outputs, or why they are not possible."""
    from ledger.commands.recorded_texts import read_data
    from ledger.evaluation.significance import paired_tests

    references = [run.data.get("reference") for run in (old, new)]
    if len({one and one.sha256 for one in references}) > 1:
        return Unobserved("they were scored against different references")
    texts = [_output(context, old), _output(context, new), read_data(context.workspace, new, "reference")]
    for text in texts:
        if isinstance(text, Unobserved):
            return text
    language = new.target_language
    if language is None:
        return Unobserved(f"no target language is recorded for {new.id}")
    try:
        before, after, reference = (text for text in texts if not isinstance(text, Unobserved))
        return paired_tests(before, after, reference, language)
    except LedgerError as error:
        return Unobserved(error.message)


def _output(context: GateContext, run: Run) -> list[str] | Unobserved:
    """The run's stored output, or the one that the base has in git."""
    from ledger.commands.recorded_texts import read_output

    found = read_output(context.workspace, run)
    if isinstance(found, list) or run.output is None:
        return found
    path = context.workspace.root / run.output.path
    if not path.is_relative_to(context.workspace.root):
        return found
    committed = context.history.file(context.base, path)
    if sha256(committed).hexdigest() != run.output.sha256:
        return found
    return committed.decode("utf-8").removesuffix("\n").split("\n")


def _scored(run: Run, name: str) -> Scored:
    interval = run.result["metrics"][name].get("interval")
    return Scored(run.id, run.metrics[name], (interval[0], interval[1]) if interval else None)


def _row(context: GateContext, change: ScoreChange) -> tuple[str, ...]:
    before, after = change.baseline, change.candidate
    values = (f"{before.metric.value:.2f}", f"{after.metric.value:.2f}")
    difference = f"{after.metric.value - before.metric.value:+.2f}"
    if interval := change.interval:
        difference += f" [{interval[0]:+.2f}, {interval[1]:+.2f}]"
    verdict = _verdict(change)
    return (change.experiment, change.name, *values, difference, verdict, _checkpoints(context, after.run))


def _verdict(change: ScoreChange) -> str:
    """The comparison in a few words; the finding has the reasons."""
    if change.candidate.metric.signature != change.baseline.metric.signature:
        return "not comparable"
    difference = change.candidate.metric.value - change.baseline.metric.value
    interval = change.interval
    p_value = f", p = {change.paired.p_value:.4f}" if change.paired else ""
    is_clear = change.paired.significant if change.paired else interval and interval[0] * interval[1] > 0
    if is_clear:
        return f"{'better' if difference > 0 else 'worse'}{p_value}"
    if worse_score.underpowered(change, ScoreLimit().smallest):
        return "underpowered"
    return f"no difference{p_value}" if interval else "not tested"


def _untested(context: GateContext, pairs: Sequence[tuple[Run, Run]]) -> Iterator[tuple[str, ...]]:
    """The newest runs without a score to test: first ones, and trainings, whose scores are of few lines."""
    paired = {new.id for _, new in pairs}
    old = {run.experiment: run for run in context.runs if run.id in context.known}
    newest = {run.experiment: run for run in context.new_runs}
    for run in (run for run in newest.values() if run.id not in paired):
        before, after = _own_score(old.get(run.experiment)), _own_score(run)
        if after is None and run.verified is None:
            continue  # a recorded command
        difference = f"{after[1] - before[1]:+.2f}" if before and after and before[0] == after[0] else "-"
        why = "not tested" if before else "first score" if after else "no score"
        values = (f"{one[1]:.2f}" if one else "-" for one in (before, after))
        name = after[0] if after else "-"
        yield (run.experiment, name, *values, difference, why, _checkpoints(context, run.id))


def _own_score(run: Run | None) -> tuple[str, float] | None:
    """The name, with its origin, and the value of the run's first known score."""
    found = ((name, run.score(name)) for name in NAMES) if run else ()
    return next(
        ((f"{name} ({one[1]})" if one[1] else name, one[0].value) for name, one in found if one), None
    )


def _checkpoints(context: GateContext, run: str) -> str:
    """How many of the checkpoints that a run saved were verified; empty if it saved none."""
    verified = context.by_id[run].verified
    return "{} of {}".format(*verified) if verified else ""


def _accepted(report: Report, context: GateContext) -> Report:
    """The report with the accepted findings of each run marked."""
    why = {(run.id, one.code): one.why for run in context.new_runs for one in run.acceptances}
    findings = tuple(replace(f, accepted=why.get((str(f.evidence["run"]), f.code))) for f in report.findings)
    return replace(report, findings=findings)
