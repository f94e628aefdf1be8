"""`ledger report`: collect the page's content from the journal and the output files that still exist."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice, pairwise
from math import isfinite

from guards import registry
from guards.text.failed import DEFAULT_MARKERS
from guards.text.measures.scripts import Script, script_of
from guards.text.scan import scan
from guards.text.scan.highlights import marks
from ledger.commands.compare import CompareRequest, compare
from ledger.commands.recorded_texts import read_data, read_output
from ledger.environments.diff.from_journal import Facts, environments, side_of_run
from ledger.environments.diff.ranking import suspects
from ledger.errors import LedgerError
from ledger.evidence import Unobserved
from ledger.evidence.suspects import Kind
from ledger.evidence.text import LineSample, TextEvidence
from ledger.importers.training_log import column
from ledger.journal.annotations import Decision, decisions, notes, ratings
from ledger.journal.run import Run
from ledger.journal.runs import load_record
from ledger.report.html import to_html
from ledger.report.markdown import to_markdown
from ledger.report.page import (
    CorrelationTable,
    Curve,
    CurveMark,
    EnvironmentChange,
    ExperimentPage,
    Page,
    SampleLine,
    Samples,
    TextPart,
    TrainingCurve,
)
from ledger.specs import load_experiment
from ledger.specs import names as spec_names
from ledger.tracking.series import read_points
from ledger.utils.text import shorten
from ledger.workspace import Workspace

PLOTTED = ("loss", "eval_loss", "grad_norm")
MOST_TRAININGS, MOST_MARKS = 50, 20  # curves on the page, and findings marked on one
MOST_POINTS = 400_000  # read of one run's series
LINES = 6  # flagged lines shown for one run
DIGITS = re.compile(r"(\d+)")
CHARACTERS = 300  # of one line: a looping model writes until it is stopped


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """The options of the command. `pairs` are runs or experiments to compare on the page."""

    language: str = "en"
    markdown: bool = False
    pairs: tuple[tuple[str, str], ...] = ()


def report(workspace: Workspace, request: ReportRequest) -> str:
    """The report as HTML or Markdown. Raises UsageError if a pair names an unknown run."""
    page = collect(workspace, request.pairs)
    if request.markdown:
        return to_markdown(page, request.language)
    return to_html(page, request.language, {guard.CODE: guard.TITLE for guard in registry.ALL})


def collect(workspace: Workspace, pairs: Sequence[tuple[str, str]] = ()) -> Page:
    """Everything in the journal, and flagged lines of the outputs that still exist."""
    runs, entries = load_record(workspace)
    experiments = tuple(_experiments(workspace, runs, {one.experiment: one for one in decisions(entries)}))
    facts = environments(entries)
    latest = [one.latest for one in experiments if one.latest]
    return Page(
        repository=workspace.root.name,
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        experiments=experiments,
        runs=tuple(runs),
        rates={run.id: run.rates for run in runs if run.rates},
        curves=tuple(_curves(latest)),
        trainings=tuple(islice(_trainings(workspace, runs), MOST_TRAININGS)),
        families=tuple(_families(latest)),
        changes=tuple(_changes(runs, facts)),
        samples=tuple(one for run in latest if (one := _samples(workspace, run))),
        comparisons=tuple(compare(workspace, CompareRequest(*pair)) for pair in pairs),
        notes=tuple(notes(entries)),
        ratings=tuple(ratings(entries)),
    )


def _experiments(
    workspace: Workspace, runs: Sequence[Run], decided: Mapping[str, Decision]
) -> Iterator[ExperimentPage]:
    """Experiments that ran and those that only have a spec, in natural order: exp9 before exp10."""
    names = {*spec_names(workspace.experiments), *(run.experiment for run in runs)}
    for name in sorted(names, key=_natural):
        own = tuple(run for run in runs if run.experiment == name)
        yield ExperimentPage(name, _title(workspace, name, own), own, decided.get(name))


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in DIGITS.split(name)]


def _title(workspace: Workspace, name: str, runs: Sequence[Run]) -> str:
    if runs and (known := runs[-1].title or (runs[-1].claims or {}).get("title")):
        return str(known)
    try:
        return load_experiment(name, workspace.experiments).title or ""
    except LedgerError:  # a command, or a spec that is gone or broken: its runs are still shown
        return ""


def _curves(runs: Sequence[Run]) -> Iterator[Curve]:
    for run in runs:
        rows = run.checkpoints
        # A model that writes no text has no BLEU to draw.
        if any(row.memory is not None or row.reloaded is not None for row in rows):
            yield Curve(run.id, tuple(sorted(rows, key=lambda row: row.step)))


def _trainings(workspace: Workspace, runs: Sequence[Run]) -> Iterator[TrainingCurve]:
    """The trainings and imports whose series are on this machine, newest first."""
    for run in reversed(runs):
        series: dict[str, dict[int, float]] = {}
        for point in read_points(workspace.runs / run.id, MOST_POINTS):
            if (name := column(point.name)) in PLOTTED and isfinite(point.value):
                series.setdefault(name, {})[point.step] = point.value  # a resumed run logs some steps again
        if any(len(points) > 1 for points in series.values()):
            found = {name: tuple(sorted(series[name].items())) for name in PLOTTED if name in series}
            marks = (
                CurveMark(
                    one.code, one.severity.label, one.steps[:MOST_MARKS], shorten(one.message, CHARACTERS)
                )
                for one in run.report.findings
                if one.steps
            )
            yield TrainingCurve(run.id, found, tuple(islice(marks, MOST_MARKS)))


def _families(runs: Sequence[Run]) -> Iterator[CorrelationTable]:
    for run in runs:
        if facts := run.family:
            members, parent = facts["members"], facts.get("parent") or {}
            yield CorrelationTable(
                run=run.id,
                values={one["name"]: one["value"] for one in members},
                before={one["name"]: one["parent"] for one in members},
                parent=parent.get("run"),
                improved=parent.get("improved", 0),
                of=parent.get("of", 0),
            )


def _changes(runs: Sequence[Run], facts: Facts) -> Iterator[EnvironmentChange]:
    """Between each run and the previous one of the same mode, if their environments differ."""
    for mode in dict.fromkeys(run.mode for run in runs):
        for old, new in pairwise(run for run in runs if run.mode == mode):
            if old.environment == new.environment:
                continue
            found = suspects(side_of_run(old, facts), side_of_run(new, facts))
            shown = tuple(one for one in found if one.kind is not Kind.SETTING)
            if shown:
                yield EnvironmentChange(old.id, new.id, shown)


def _samples(workspace: Workspace, run: Run) -> Samples | None:
    """The worst lines of a run's output; None for a run without an output or flagged lines."""
    if run.output is None or run.output.sha256 is None:
        return None
    output = read_output(workspace, run)
    if isinstance(output, Unobserved):
        return Samples(run.id, output)
    source = read_data(workspace, run, "source")
    text = scan(
        output,
        source=None if isinstance(source, Unobserved) or len(source) != len(output) else source,
        language=run.target_language,
        markers=DEFAULT_MARKERS,
    )
    lines = tuple(_worst(text, script_of(run.target_language)))
    return Samples(run.id, lines) if lines else None


def _worst(text: TextEvidence, script: Script | None) -> Iterator[SampleLine]:
    """The worst line of each code, then the second worst, up to `LINES` lines."""
    codes: dict[int, list[str]] = {}
    lines: dict[int, LineSample] = {}
    for place in range(LINES):
        for code, flagged in sorted(text.flagged.items()):
            for line in flagged.worst[place : place + 1]:
                codes.setdefault(line.number, []).append(code)
                lines.setdefault(line.number, line)
    for number in list(lines)[:LINES]:
        line = lines[number]
        yield SampleLine(number, line.source, tuple(_parts(line, script)), tuple(codes[number]))


def _parts(line: LineSample, script: Script | None) -> Iterator[TextPart]:
    """The line split into flagged and unflagged parts."""
    end, text = 0, line.output[:CHARACTERS]
    for mark in marks(text, line.source, script):
        if mark.start > end:
            yield TextPart(text[end : mark.start])
        yield TextPart(text[mark.start : mark.end], mark.code)
        end = mark.end
    if text[end:] or not text:
        yield TextPart(text[end:] or "∅")
