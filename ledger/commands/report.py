"""`ledger report`: collect the page's content from the journal and the output files that still exist."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from math import isfinite

from guards import registry
from guards.text.failed import DEFAULT_MARKERS
from guards.text.measures.scripts import Script, script_of
from guards.text.scan import scan
from guards.text.scan.highlights import marks
from ledger.commands.attention import AttentionFinder
from ledger.commands.compare import CompareRequest, compare
from ledger.commands.recorded_texts import read_data, read_output
from ledger.environments.diff.from_journal import environments
from ledger.errors import LedgerError
from ledger.evidence import Unobserved
from ledger.evidence.text import LineSample, TextEvidence
from ledger.importers.training_log import column
from ledger.journal.annotations import Decision, decisions, notes, ratings
from ledger.journal.run import Run
from ledger.journal.runs import files_of, load_record
from ledger.report.html import Explained, to_html
from ledger.report.markdown import to_markdown
from ledger.report.page import (
    KINDS,
    CorrelationTable,
    Curve,
    CurveMark,
    ExperimentPage,
    Page,
    RunView,
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

PLOTTED = ("loss", "eval_loss", "grad_norm", "learning_rate")
MOST_RUNS = 300  # the newest: a page that opens in a second
MOST_TRAININGS, MOST_MARKS = 50, 20  # curves on the page, and findings marked on one
MOST_POINTS = 400_000  # read of one run's series
LINES = 6  # flagged lines shown for one run
ORDINARY = 4  # lines of it that nothing flagged
DIGITS = re.compile(r"(\d+)")
CHARACTERS = 300  # of one line: a looping model writes until it is stopped


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """The options. `pairs` are runs or experiments to compare on it; a `live` page is for the server."""

    language: str = "en"
    markdown: bool = False
    pairs: tuple[tuple[str, str], ...] = ()
    live: bool = False


def report(workspace: Workspace, request: ReportRequest) -> str:
    """The report as HTML or Markdown. Raises UsageError if a pair names an unknown run."""
    page = collect(workspace, request.pairs)
    if request.markdown:
        return to_markdown(page, request.language)
    return to_html(page, request.language, explanations(), live=request.live)


def explanations() -> dict[str, Explained]:
    """What each guard's code means, for the page."""
    return {
        guard.CODE: Explained(
            guard.TITLE, guard.EXPLANATION.means, guard.EXPLANATION.matters, guard.EXPLANATION.do
        )
        for guard in registry.by_code().values()
    }


def collect(workspace: Workspace, pairs: Sequence[tuple[str, str]] = ()) -> Page:
    """The newest runs of the journal with all about them, and flagged lines of outputs that still exist."""
    every, entries = load_record(workspace)
    runs = every[-MOST_RUNS:]
    experiments = tuple(
        _experiments(workspace, every, runs, {one.experiment: one for one in decisions(entries)})
    )
    finder = AttentionFinder(workspace, every, environments(entries))
    latest = [one.latest for one in experiments if one.latest]
    watched = {run.id: run for run in [*latest, *(run for run in runs if run.status == "running")]}
    trainings = {one.run: one for one in islice(_trainings(workspace, runs), MOST_TRAININGS)}
    samples = {one.run: one for run in latest if (one := _samples(workspace, run))}
    all_notes, all_ratings = tuple(notes(entries)), tuple(ratings(entries))
    reasons = [one for run in watched.values() for one in finder.of(run)]
    return Page(
        repository=workspace.root.name,
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        experiments=experiments,
        runs=tuple(runs),
        total=len(every),
        rates={run.id: run.rates for run in runs if run.rates},
        attention=tuple(sorted(reasons, key=lambda one: KINDS.index(one.kind))),
        views=tuple(
            RunView(
                run=run,
                attention=tuple(finder.of(run)),
                drift=finder.drift(run),
                files=files_of(workspace, run),
                training=trainings.get(run.id),
                curve=_curve(run),
                samples=samples.get(run.id),
                notes=tuple(one for one in all_notes if one.run == run.id),
                ratings=tuple(one for one in all_ratings if one.run == run.id),
            )
            for run in reversed(runs)
        ),
        families=tuple(_families(latest)),
        comparisons=tuple(compare(workspace, CompareRequest(*pair)) for pair in pairs),
        notes=all_notes,
        ratings=all_ratings,
    )


def _experiments(
    workspace: Workspace, every: Sequence[Run], shown: Sequence[Run], decided: Mapping[str, Decision]
) -> Iterator[ExperimentPage]:
    """Experiments with a run that is shown and those that only have a spec: exp9 before exp10."""
    by_name: dict[str, list[Run]] = {}
    for run in every:
        by_name.setdefault(run.experiment, []).append(run)
    specs = {name for name in spec_names(workspace.experiments) if name not in by_name}
    for name in sorted({*specs, *(run.experiment for run in shown)}, key=_natural):
        own = tuple(by_name.get(name, ()))
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


def _curve(run: Run) -> Curve | None:
    """Its checkpoints; None for a model that writes no text, which has no BLEU to draw."""
    rows = sorted(run.checkpoints, key=lambda row: row.step)
    if any(row.memory is not None or row.reloaded is not None for row in rows):
        return Curve(run.id, tuple(rows))
    return None


def _trainings(workspace: Workspace, runs: Sequence[Run]) -> Iterator[TrainingCurve]:
    """The trainings and imports whose series are on this machine, newest first."""
    return (found for run in reversed(runs) if (found := training_curve(workspace, run)))


def training_curve(workspace: Workspace, run: Run) -> TrainingCurve | None:
    """The logged series of one run with its marks; None where they are not on this machine."""
    series: dict[str, dict[int, float]] = {}
    for point in read_points(workspace.runs / run.id, MOST_POINTS):
        if (name := column(point.name)) in PLOTTED and isfinite(point.value):
            series.setdefault(name, {})[point.step] = point.value  # a resumed run logs some steps again
    if not any(len(points) > 1 for points in series.values()):
        return None
    found = {name: tuple(sorted(series[name].items())) for name in PLOTTED if name in series}
    marks = (
        CurveMark(one.code, one.severity.label, one.steps[:MOST_MARKS], shorten(one.message, CHARACTERS))
        for one in run.report.findings
        if one.steps
    )
    return TrainingCurve(run.id, found, tuple(islice(marks, MOST_MARKS)))


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
    reference = read_data(workspace, run, "reference")
    known = [] if isinstance(reference, Unobserved) or len(reference) != len(output) else reference
    flagged = tuple(_worst(text, script_of(run.target_language), known))
    ordinary = _ordinary(output, text, [] if isinstance(source, Unobserved) else source, known)
    return Samples(run.id, (*flagged, *ordinary)) if output else None


def _ordinary(
    output: Sequence[str], text: TextEvidence, source: Sequence[str], reference: Sequence[str]
) -> Iterator[SampleLine]:
    """A few lines spread over the output that are not among the worst of any code."""
    flagged = {line.number for one in text.flagged.values() for line in one.worst}
    for number in range(1, len(output) + 1, max(1, len(output) // ORDINARY)):
        if number not in flagged:
            shown = (shorten(output[number - 1], CHARACTERS), _line(source, number), _line(reference, number))
            yield SampleLine(number, shown[1], (TextPart(shown[0] or "∅"),), (), shown[2])


def _line(lines: Sequence[str], number: int) -> str | None:
    return shorten(lines[number - 1], CHARACTERS) if len(lines) >= number else None


def _worst(text: TextEvidence, script: Script | None, reference: Sequence[str]) -> Iterator[SampleLine]:
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
        parts = tuple(_parts(line, script))
        yield SampleLine(number, line.source, parts, tuple(codes[number]), _line(reference, number))


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
