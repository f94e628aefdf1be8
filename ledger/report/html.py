"""The report as one HTML file: everything is inline, and it is readable without scripts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import partial
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ledger import __version__
from ledger.display.comparison import TableSection, sections
from ledger.display.run_details import run_facts
from ledger.display.table import Column, Table
from ledger.evaluation.comparison import Comparison, LineChange, conclusions
from ledger.evidence import Unobserved
from ledger.findings import Finding, Severity
from ledger.journal.query import findings_of
from ledger.journal.run import Run
from ledger.report.attention import baseline_and_best, basis, best_checkpoint, standing
from ledger.report.charts import curve_chart, interval_chart, timeline
from ledger.report.page import Page, RunView, TextPart
from ledger.report.plot_data import plot_data, points_per_series
from ledger.report.training_chart import described, training_chart
from ledger.report.translations import LANGUAGES
from ledger.utils.escape import printable

CHANGED_LINES = 5
DRAWN = 150  # points of a line where a plot has more
OWN_PARTS = ("guards on the result", "checkpoints", "preflight guards", "notes", "ratings by people")


@dataclass(frozen=True, slots=True)
class Explained:
    """A guard's title, what its code means, why it matters, and what to do."""

    title: str
    means: str
    matters: str
    do: str


def to_html(page: Page, language: str, guards: Mapping[str, Explained], *, live: bool = False) -> str:
    """The page in `en` or `ja`; `guards` explains each code. A `live` page asks its server what is new."""
    words = LANGUAGES[language]
    environment = Environment(
        loader=PackageLoader("ledger.report"),
        autoescape=True,
        finalize=lambda value: (
            value if isinstance(value, Markup) or not isinstance(value, str) else printable(value)
        ),
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.tests["unobserved"] = lambda value: isinstance(value, Unobserved)
    environment.tests["table"] = lambda value: isinstance(value, Table)
    chart = partial(curve_chart, memory=words["memory"], reloaded=words["reloaded"], step=words["step"])
    most = points_per_series(page.views)
    drawn = min(most, DRAWN)
    return environment.get_template("report.html.j2").render(
        page=page,
        w=words,
        lang=language,
        version=__version__,
        styles=[_part("style.css"), _part("vendor/uPlot.min.css")],
        scripts=[_part(name) for name in ("tables.js", "views.js")],
        plotting=[_part("vendor/uPlot.iife.min.js"), _part("plots.js")],
        live=_part("live.js") if live else "",
        present=_present(page),
        timeline=Markup(printable(timeline(page))),
        training_chart=lambda curve: Markup(printable(training_chart(curve, words["step"], drawn))),
        described=described,
        bleu_chart=lambda curve: Markup(printable(chart(curve))),
        plot=lambda view: plot_data(view.training, view.curve, view.run.checkpoints, most),
        rate_codes=sorted({code for rates in page.rates.values() for code in rates}),
        comparisons=[_comparison(one) for one in page.comparisons],
        signatures=_signatures(page.runs),
        guards=guards,
        used=sorted(_used(page) & guards.keys()),
        facts=_facts,
        headings=_headings,
        standing=standing,
        basis=lambda run: basis(run, words),
        baseline_and_best=baseline_and_best,
        best_checkpoint=best_checkpoint,
        shown_ids={run.id for run in page.runs},
        errors_first=_errors_first,
        findings_of=findings_of,
    )


def _present(page: Page) -> list[str]:
    """The sections that are not empty, in order."""
    filled = {
        "attention": page.runs,
        "experiments": True,
        "comparisons": page.comparisons,
        "claims": any(run.claims for run in page.runs),
        "timeline": page.runs,
        "families": page.families,
        "rates": page.rates,
        "people": page.notes or page.ratings,
        "runs": page.runs,
    }
    return [name for name, content in filled.items() if content]


@dataclass(frozen=True, slots=True)
class ComparedLine:
    """A line that changed: the parts of both outputs that differ have a code."""

    change: LineChange
    baseline: tuple[TextPart, ...]
    candidate: tuple[TextPart, ...]


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """A comparison as the page shows it. `picture`: the intervals; empty where nothing could be tested."""

    one: Comparison
    conclusions: list[str]
    picture: Markup
    tables: list[TableSection]
    worsened: list[ComparedLine]
    improved: list[ComparedLine]


def _comparison(one: Comparison) -> ComparisonView:
    tests = () if isinstance(one.tests, Unobserved) else one.tests
    return ComparisonView(
        one,
        list(conclusions(one)),
        Markup(printable(interval_chart(tests)) if tests and not one.is_identical else ""),
        list(sections(one, 0)),
        list(map(_compared, one.worsened(CHANGED_LINES))),
        list(map(_compared, one.improved(CHANGED_LINES))),
    )


def _compared(change: LineChange) -> ComparedLine:
    steps = SequenceMatcher(None, change.baseline, change.candidate, autojunk=False).get_opcodes()
    old = (TextPart(change.baseline[a:b], "" if tag == "equal" else "diff") for tag, a, b, _, _ in steps)
    new = (TextPart(change.candidate[c:d], "" if tag == "equal" else "diff") for tag, _, _, c, d in steps)
    return ComparedLine(change, *(tuple(part for part in side if part.text) for side in (old, new)))


def _facts(view: RunView) -> Iterator[tuple[str, Sequence[object]]]:
    """The recorded facts of a run that have no place of their own on its view."""
    for title, body in run_facts(view.run, view.files):
        if body and title not in OWN_PARTS:
            yield title, body


def _headings(table: Table) -> list[str]:
    """The headings of a table; empty if none of its columns has one."""
    shown = [one.heading if isinstance(one, Column) else one for one in table.columns]
    return shown if any(shown) else []


def _errors_first(run: Run) -> list[Finding]:
    """The findings, the open ones and the most severe first."""
    return sorted(findings_of(run), key=lambda one: (one.accepted is not None, -one.severity, one.code))


def _used(page: Page) -> set[str]:
    """The codes that the page mentions and that somebody may want explained."""
    found = {one.code for run in page.runs for one in findings_of(run) if one.severity > Severity.INFO}
    return found | {code for rates in page.rates.values() for code in rates}


def _signatures(runs: Sequence[Run]) -> list[str]:
    return sorted({one.signature for run in runs for one in run.metrics.values() if one.signature})


def _part(name: str) -> Markup:
    """A file of this package, which needs no escaping."""
    return Markup((files("ledger.report") / "templates" / name).read_text(encoding="utf-8"))
