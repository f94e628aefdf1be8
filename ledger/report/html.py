"""The report as one HTML file: everything is inline, and it is readable without scripts."""

from collections.abc import Mapping, Sequence
from functools import partial
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ledger import __version__
from ledger.display.comparison import TableSection, sections
from ledger.evaluation.comparison import Comparison, conclusions
from ledger.evidence import Unobserved
from ledger.journal.query import findings_of
from ledger.journal.run import Run
from ledger.report.charts import curve_chart, timeline
from ledger.report.page import Page
from ledger.report.training_chart import described, training_chart
from ledger.report.translations import LANGUAGES
from ledger.utils.escape import printable

CHANGED_LINES = 5


def to_html(page: Page, language: str, titles: Mapping[str, str]) -> str:
    """The page in `en` or `ja`; `titles` gives the title of each guard's code."""
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
    chart = partial(curve_chart, memory=words["memory"], reloaded=words["reloaded"], step=words["step"])
    return environment.get_template("report.html.j2").render(
        page=page,
        w=words,
        lang=language,
        version=__version__,
        style=_part("style.css"),
        script=_part("tables.js"),
        present=_present(page),
        timeline=Markup(printable(timeline(page))),
        trainings=[
            (curve, Markup(printable(training_chart(curve, words["step"]))), described(curve))
            for curve in page.trainings
        ],
        curves=[(curve, Markup(printable(chart(curve)))) for curve in page.curves],
        rate_codes=sorted({code for rates in page.rates.values() for code in rates}),
        comparisons=[_comparison(one) for one in page.comparisons],
        signatures=_signatures(page.runs),
        titles=titles,
        standing=standing,
        findings_of=findings_of,
    )


def standing(run: Run) -> str:
    """The verdict of a finished run, else its status."""
    return str(run.verdict) if run.status == "finished" and run.verdict else run.status


def _present(page: Page) -> list[str]:
    """The sections that are not empty, in order."""
    filled = {
        "experiments": True,
        "claims": any(run.claims for run in page.runs),
        "timeline": page.runs,
        "trainings": page.trainings,
        "curves": page.curves,
        "families": page.families,
        "rates": page.rates,
        "samples": page.samples,
        "changes": len(page.runs) > 1,
        "comparisons": page.comparisons,
        "people": page.notes or page.ratings,
        "runs": page.runs,
    }
    return [name for name, content in filled.items() if content]


def _comparison(one: Comparison) -> tuple[str, list[str], list[TableSection]]:
    title = f"{one.baseline.name} (A), {one.candidate.name} (B)"
    return title, list(conclusions(one)), list(sections(one, CHANGED_LINES))


def _signatures(runs: Sequence[Run]) -> list[str]:
    return sorted({one.signature for run in runs for one in run.metrics.values() if one.signature})


def _part(name: str) -> Markup:
    """A file of this package, which needs no escaping."""
    return Markup((files("ledger.report") / "templates" / name).read_text(encoding="utf-8"))
