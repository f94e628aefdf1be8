"""Plots as SVG in the page's colours, without scripts. The page also has every value in a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from urllib.parse import quote

from ledger.evidence.metrics import PairedTest
from ledger.findings import Verdict
from ledger.journal.run import Run
from ledger.report.attention import standing
from ledger.report.page import Curve, Page

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 640, 60, 620, 24, 28
CURVE_HEIGHT, ROW = 220, 22
FULL_SCALE = 100.0
SHAPES = {"pass": "circle", "fail": "cross", "failed": "cross"}
LEGEND = 150  # from one name in a legend to the next


@dataclass(frozen=True, slots=True)
class PlotLine:
    """One series: its CSS class, its label, and points in the plot's pixels."""

    kind: str
    label: str
    points: tuple[tuple[float, float], ...]


def curve_chart(curve: Curve, memory: str, reloaded: str, step: str) -> str:
    """BLEU in memory and reloaded over the steps, on a scale of 0 to 100, with a cross at each failure."""
    bottom = CURVE_HEIGHT - BOTTOM
    last = max((checkpoint.step for checkpoint in curve.checkpoints), default=1) or 1

    def at(steps: int, bleu: float) -> tuple[float, float]:
        return LEFT + (RIGHT - LEFT) * steps / last, bottom - (bottom - TOP) * bleu / FULL_SCALE

    lines = [
        PlotLine(
            "memory", memory, tuple(at(s.step, s.memory) for s in curve.checkpoints if s.memory is not None)
        ),
        PlotLine(
            "reloaded",
            reloaded,
            tuple(at(s.step, s.reloaded) for s in curve.checkpoints if s.reloaded is not None),
        ),
    ]
    grid = "".join(
        f'<line class="grid" x1="{LEFT}" x2="{RIGHT}" y1="{at(0, bleu)[1]:.1f}" y2="{at(0, bleu)[1]:.1f}"/>'
        f'<text x="{LEFT - 8}" y="{at(0, bleu)[1] + 4:.1f}" text-anchor="end">{bleu:.0f}</text>'
        for bleu in (0, 25, 50, 75, 100)
    )
    axis = f'<text x="{RIGHT}" y="{CURVE_HEIGHT - 6}" text-anchor="end">{escape(step)} {last:,}</text>'
    failed = "".join(
        f'<path class="fail" d="M{at(s.step, 0)[0] - 5:.1f},{bottom - 5}l10,10m0,-10l-10,10">'
        f"<title>{escape(step)} {s.step:,}: {s.verdict}</title></path>"
        for s in curve.checkpoints
        if s.verdict is Verdict.FAIL
    )
    drawn = [_series(line, place) for place, line in enumerate(lines)]
    return svg(CURVE_HEIGHT, f"BLEU, {curve.run}", grid + axis + "".join(drawn) + failed)


def interval_chart(tests: Sequence[PairedTest]) -> str:
    """The difference of each score, candidate minus baseline, with its 95% interval, around zero."""
    height = TOP + ROW * len(tests) + BOTTOM
    reach = max((abs(one) for test in tests for one in (*test.interval, test.difference)), default=0.0) or 1.0
    middle = (2 * LEFT + RIGHT) / 2

    def x(points: float) -> float:
        return middle + (RIGHT - middle) * points / reach

    parts = [f'<line class="zero" x1="{middle}" x2="{middle}" y1="{TOP - 8}" y2="{height - BOTTOM}"/>']
    for row, test in enumerate(tests):
        y, (low, high) = TOP + ROW * row + ROW / 2, test.interval
        kind = ("better" if test.difference > 0 else "worse") if test.significant else "open"
        parts.append(f'<text x="{2 * LEFT - 8}" y="{y + 4}" text-anchor="end">{escape(test.name)}</text>')
        parts.append(
            f'<line class="interval {kind}" x1="{x(low):.1f}" x2="{x(high):.1f}" y1="{y}" y2="{y}"/>'
        )
        parts.append(f'<circle class="{kind}" cx="{x(test.difference):.1f}" cy="{y}" r="5"/>')
    for points, anchor in ((-reach, "start"), (0.0, "middle"), (reach, "end")):
        label = f"{points:+.2f}" if points else "0"
        parts.append(f'<text x="{x(points):.1f}" y="{height - 8}" text-anchor="{anchor}">{label}</text>')
    words = "; ".join(
        "{} {:+.2f} ({:+.2f} to {:+.2f})".format(test.name, test.difference, *test.interval) for test in tests
    )
    return svg(height, f"B - A: {words}", "".join(parts))


def timeline(page: Page) -> str:
    """The runs over time, one row for each experiment; shape and colour of a mark show the verdict."""
    rows: dict[str, list[Run]] = {one.name: [] for one in page.experiments}
    for run in page.runs:
        rows[run.experiment].append(run)
    rows = {name: runs for name, runs in rows.items() if runs}
    times = [_seconds(run) for run in page.runs]
    if not times:
        return ""
    first, span = min(times), max(max(times) - min(times), 1.0)
    height = TOP + ROW * len(rows) + BOTTOM
    parts = []
    for index, (name, runs) in enumerate(rows.items()):
        y = TOP + ROW * index + ROW / 2
        parts.append(f'<line class="grid" x1="{2 * LEFT}" x2="{RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="{2 * LEFT - 8}" y="{y + 4}" text-anchor="end">{escape(name[:16])}</text>')
        for run in runs:
            x = 2 * LEFT + 8 + (RIGHT - 2 * LEFT - 16) * (_seconds(run) - first) / span
            parts.append(f'<a href="#run-{quote(run.id)}">{_mark(run, x, y)}</a>')
    days = [datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%d %H:%M") for when in (first, first + span)]
    parts.append(f'<text x="{2 * LEFT}" y="{height - 6}">{days[0]}</text>')
    parts.append(f'<text x="{RIGHT}" y="{height - 6}" text-anchor="end">{days[1]}</text>')
    return svg(height, "timeline", "".join(parts))


def _series(line: PlotLine, place: int) -> str:
    """A polyline with a dot at each checkpoint, and its name in the legend above the plot."""
    if not line.points:
        return ""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in line.points)
    dots = "".join(f'<circle class="{line.kind}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in line.points)
    x = LEFT + LEGEND * place
    key = f'<polyline class="{line.kind}" points="{x},8 {x + 24},8"/>'
    label = f'<text x="{x + 30}" y="12">{escape(line.label)}</text>'
    return f'<polyline class="{line.kind}" points="{path}"/>{dots}{key}{label}'


def _mark(run: Run, x: float, y: float) -> str:
    verdict = standing(run)
    kind = f"{verdict}{' rehearsal' if run.is_rehearsal else ''}"
    title = f"<title>{escape(f'{run.id}: {verdict}')}</title>"
    match SHAPES.get(verdict, "square"):
        case "circle":
            shape = f'<circle class="{kind}" cx="{x:.1f}" cy="{y}" r="5">{title}</circle>'
        case "cross":
            d = f"M{x - 5:.1f},{y - 5}l10,10m0,-10l-10,10"
            shape = f'<path class="{kind}" d="{d}">{title}</path>'
        case _:
            shape = f'<rect class="{kind}" x="{x - 4:.1f}" y="{y - 4}" width="8" height="8">{title}</rect>'
    return shape


def svg(height: float, title: str, inner: str) -> str:
    """A picture of the page's width; `title` says in words what it shows. One with links is no image."""
    role = "group" if "<a " in inner else "img"
    return f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="{role}" aria-label="{escape(title)}">{inner}</svg>'


def _seconds(run: Run) -> float:
    return datetime.fromisoformat(run.time).timestamp()
