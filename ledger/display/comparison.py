"""A comparison of two runs as terminal tables, Markdown and JSON."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from ledger.display.results import lines
from ledger.display.table import Table
from ledger.evaluation.comparison import Comparison, LineChange, conclusions
from ledger.evidence import Unobserved
from ledger.evidence.metrics import PairedTest
from ledger.findings import Json
from ledger.utils.escape import escaped

MOST_SUSPECTS = 12
NOTHING = "-"


@dataclass(frozen=True, slots=True)
class TableSection:
    """One table with its title, and a note to print under it."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def sections(comparison: Comparison, shown: int) -> Iterator[TableSection]:
    """The tables that are not empty, with `shown` improved and `shown` worsened lines."""
    for section in (
        _scores(comparison),
        _rates(comparison),
        _lines("most worsened lines", comparison.worsened(shown)),
        _lines("most improved lines", comparison.improved(shown)),
        _params(comparison),
        _suspects(comparison),
    ):
        if section.rows or section.note:
            yield section


def to_tables(comparison: Comparison, shown: int) -> Iterator[RenderableType]:
    """For a terminal: the tables, then the conclusions."""
    yield Text(f"A  {comparison.baseline.name}\nB  {comparison.candidate.name}\n")
    for section in sections(comparison, shown):
        yield Text(section.title, "bold cyan")
        if section.rows:
            yield Table(section.headings, section.rows)
        yield lines([*([section.note] if section.note else []), ""])
    yield lines(conclusions(comparison))


def to_markdown(comparison: Comparison, shown: int) -> str:
    """For a pull request or a note."""
    parts = [escaped(f"## {comparison.candidate.name} compared with {comparison.baseline.name}")]
    parts.append("\n".join(f"- {escaped(sentence)}" for sentence in conclusions(comparison)))
    for section in sections(comparison, shown):
        parts.append(f"### {section.title.capitalize()}")
        if section.rows:
            parts.append(Table(section.headings, section.rows).markdown())
        if section.note:
            parts.append(escaped(section.note))
    return "\n\n".join(parts)


def to_json(comparison: Comparison, shown: int) -> dict[str, Json]:
    """The whole comparison, with `shown` improved and `shown` worsened lines."""
    return {
        "baseline": asdict(comparison.baseline),
        "candidate": asdict(comparison.candidate),
        "lines": comparison.lines,
        "identical": comparison.identical,
        "tests": _tests(comparison.tests),
        "normalized_tests": _tests(comparison.normalized),
        "worsened": [change.to_json() for change in comparison.worsened(shown)],
        "improved": [change.to_json() for change in comparison.improved(shown)],
        "params": [one.to_json() for one in comparison.params],
        "suspects": _each(comparison.suspects, lambda one: one.to_json()),
        "conclusions": list(conclusions(comparison)),
        "findings": [],
        "skips": [],
    }


def _tests(tests: Sequence[PairedTest] | Unobserved) -> Json:
    return _each(tests, lambda test: {**asdict(test), "significant": test.significant})


def _each(items: "Sequence[Any] | Unobserved", shown: Callable[[Any], Json]) -> Json:
    return {"unobserved": items.reason} if isinstance(items, Unobserved) else [shown(item) for item in items]


def _scores(comparison: Comparison) -> TableSection:
    """The tested scores; without texts the recorded ones, which cannot be tested."""
    headings = ("score", "A", "B", "B - A", "95% interval", "p")
    if not isinstance(comparison.tests, Unobserved):
        normalized = [(f"{test.name}, normalized", test) for test in comparison.normalized]
        tests = [*((test.name, test) for test in comparison.tests), *normalized]
        rows = tuple(
            (
                name,
                f"{test.baseline.value:.2f}",
                f"{test.candidate.value:.2f}",
                f"{test.difference:+.2f}",
                "identical" if comparison.is_identical else "{:+.2f} to {:+.2f}".format(*test.interval),
                NOTHING if comparison.is_identical else f"{test.p_value:.3f}",
            )
            for name, test in tests
        )
        return TableSection("scores", headings, rows, " ".join(test.signature for _, test in tests))
    old, new = comparison.baseline.metrics, comparison.candidate.metrics
    rows = tuple(
        (name, _value(old.get(name)), _value(new.get(name)), NOTHING, NOTHING, NOTHING)
        for name in sorted({*old, *new})
    )
    note = "" if not rows else f"as recorded, not tested: {comparison.tests.reason}"
    if names := comparison.otherwise_computed:
        note += f"; not comparable, by different signatures: {', '.join(names)}"
    return TableSection("scores", headings, rows, note)


def _value(metric: Any) -> str:
    return NOTHING if metric is None else str(metric.shown)


def _rates(comparison: Comparison) -> TableSection:
    old, new = comparison.baseline.rates, comparison.candidate.rates
    rows = tuple(
        (code, _percent(old.get(code)), _percent(new.get(code)), _direction(old.get(code), new.get(code)))
        for code in sorted({*old, *new})
    )
    identical = ""
    if comparison.identical is not None and comparison.lines:
        share = comparison.identical / comparison.lines
        identical = f"{comparison.identical:,} of {comparison.lines:,} lines are identical ({share:.1%})"
    return TableSection("lines flagged by the text guards", ("guard", "A", "B", "B is"), rows, identical)


def _percent(rate: float | None) -> str:
    return NOTHING if rate is None else f"{rate:.2%}"


def _direction(old: float | None, new: float | None) -> str:
    if old is None or new is None:
        return "not checked"
    return "the same" if old == new else "worse" if new > old else "better"


def _lines(title: str, changes: Sequence[LineChange]) -> TableSection:
    rows = tuple(
        row
        for change in changes
        for row in (
            (f"{change.number:,}", f"{change.gain:+.1f}", "source", change.source or NOTHING),
            ("", "", "A", change.baseline),
            ("", "", "B", change.candidate),
            ("", "", "reference", change.reference),
        )
    )
    return TableSection(title, ("line", "chrF++", "", "text"), rows)


def _params(comparison: Comparison) -> TableSection:
    rows = tuple((one.path, _shown(one.before), _shown(one.after)) for one in comparison.params)
    return TableSection("requested settings", ("setting", "A", "B"), rows)


def _suspects(comparison: Comparison) -> TableSection:
    headings, title = ("what", "name", "A", "B"), "environment and effective configuration"
    found = comparison.suspects
    if isinstance(found, Unobserved):
        return TableSection(title, headings, ())
    unasked = [one for one in found if not one.chosen]  # settings of the spec have their own table
    rows = tuple(
        (str(one.kind), one.name, _shown(one.before), _shown(one.after)) for one in unasked[:MOST_SUSPECTS]
    )
    left = len(unasked) - len(rows)
    names = f"{comparison.baseline.name} {comparison.candidate.name}"
    return TableSection(
        title, headings, rows, f"and {left} more: ledger diff-env {names}" if left > 0 else ""
    )


def _shown(value: Json) -> str:
    return "unset" if value is None else str(value)
