"""The chart of one training: loss, evaluation loss, gradient norm, and a mark where a guard found something.

Nothing depends on colour alone: a mark's shape is its severity, and each code has its own row with its name.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import log10

from ledger.report.charts import LEFT, RIGHT, svg
from ledger.report.page import CurveMark, Steps, TrainingCurve

LANE, PANEL, GAP, BOTTOM = 16, 130, 22, 24
PANELS = (("loss", "eval_loss"), ("grad_norm",), ("learning_rate",))
PANELS = (("loss", "eval_loss"), ("grad_norm",), ("learning_rate",))
LABELS = 5  # on one axis, at most
POINTS = 300  # of one line: about two for each of the chart's pixels on a phone
LOG_FROM = 30.0  # the largest value as a multiple of the smallest: beyond it the scale is logarithmic
SHAPES = {"error": "l8,8m0,-8l-8,8", "warning": "m4,0l4,8l-8,0z", "info": "m4,0l4,4l-4,4l-4,-4z"}


@dataclass(frozen=True, slots=True)
class _Scale:
    """Maps values to pixels between `top` and `bottom`."""

    low: float
    high: float
    top: float
    bottom: float
    is_log: bool

    def y(self, value: float) -> float:
        low, high = (log10(self.low), log10(self.high)) if self.is_log else (self.low, self.high)
        at = log10(value) if self.is_log else value
        return self.bottom - (self.bottom - self.top) * (at - low) / ((high - low) or 1.0)


def training_chart(curve: TrainingCurve, step: str, most: int = POINTS) -> str:
    """The chart as SVG, with at most `most` points of each line; `step` is the axis's label."""
    last = max(
        [at for one in curve.series.values() for at, _ in one] + [at for m in curve.marks for at in m.steps]
    )
    lanes = curve.codes
    top = GAP + LANE * len(lanes)
    panels = [names for names in PANELS if any(name in curve.series for name in names)]
    parts = []
    for number, names in enumerate(panels):
        low = top + number * (PANEL + GAP)
        parts.append("".join(_panel(curve, names, low, last, most)))
    bottom = top + len(panels) * (PANEL + GAP) - GAP
    for row, code in enumerate(lanes):
        y = 4.0 + LANE * row
        parts.append(f'<text x="{LEFT - 8}" y="{y + 9}" text-anchor="end">{escape(code)}</text>')
        marks = (mark for mark in curve.marks if mark.code == code)
        parts += [_mark(mark, at, _x(at, last), y, bottom) for mark in marks for at in mark.steps]
    parts.append(f'<text x="{RIGHT}" y="{bottom + 16}" text-anchor="end">{escape(step)} {last:,}</text>')
    return svg(bottom + BOTTOM, f"{curve.run}: {summary(curve)}", "".join(parts))


def summary(curve: TrainingCurve) -> str:
    """The chart in words: its series, then the marks."""
    marks = [f"{mark.code} ({mark.severity}) at step {mark.at}" for mark in curve.marks]
    return "; ".join([described(curve), *marks])


def described(curve: TrainingCurve) -> str:
    """Each series from its first to its last value."""
    return "; ".join(f"{name} {_ends(points)}" for name, points in curve.series.items())


def _ends(points: Steps) -> str:
    (first, begin), (last, end) = points[0], points[-1]
    low, lowest = min(points, key=lambda point: point[1])
    return f"{begin:.4g} (step {first:,}) → {end:.4g} (step {last:,}), lowest {lowest:.4g} (step {low:,})"


def thin(points: Steps, most: int = POINTS) -> Steps:
    """At most `most` of the points: the highest and the lowest of each stretch, so that no spike is lost."""
    if len(points) <= most:
        return points
    size = -(-2 * len(points) // most)
    stretches = (points[i : i + size] for i in range(0, len(points), size))
    return tuple(
        point
        for stretch in stretches
        for point in sorted({min(stretch, key=_value), max(stretch, key=_value)})
    )


def _value(point: tuple[int, float]) -> float:
    return point[1]


def _x(step: int, last: int) -> float:
    return LEFT + (RIGHT - LEFT) * step / (last or 1)


def _panel(curve: TrainingCurve, names: Sequence[str], top: float, last: int, most: int) -> Iterator[str]:
    """One plot: its axis, and a line with its name for each series that it has."""
    shown = {name: thin(curve.series[name], most) for name in names if name in curve.series}
    scale = _scale(names, [value for points in shown.values() for _, value in points], top)
    for value in _labels(scale):
        y = scale.y(value)
        yield f'<line class="grid" x1="{LEFT}" x2="{RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:.3g}</text>'
    for row, (name, points) in enumerate(shown.items()):
        path = " ".join(f"{_x(step, last):.1f},{scale.y(value):.1f}" for step, value in points)
        yield f'<polyline class="line {name}" points="{path}"/>'
        x = LEFT + 120 * row
        yield f'<path class="line {name}" d="M{x},{top - 9}h24"/>'
        yield f'<text x="{x + 30}" y="{top - 5}">{name}{" (log)" if scale.is_log else ""}</text>'


def _scale(names: Collection[str], values: Sequence[float], top: float) -> _Scale:
    low, high = min(values), max(values)
    is_log = is_logarithmic(names, values)
    return _Scale(low if is_log else min(low, 0.0), high, top, top + PANEL, is_log)


def is_logarithmic(names: Collection[str], values: Sequence[float]) -> bool:
    """Whether a logarithmic scale shows these values better; a schedule is drawn as it was stated."""
    low, high = min(values), max(values)
    return low > 0 and high / low >= LOG_FROM and "learning_rate" not in names


def _labels(scale: _Scale) -> Sequence[float]:
    """The lowest and the highest value; between them the powers of ten, or the middle."""
    between = [(scale.low + scale.high) / 2]
    if scale.is_log:
        powers = [10.0**n for n in range(-300, 300) if scale.low * 1.5 < 10.0**n < scale.high / 1.5]
        between = powers[:: len(powers) // (LABELS - 1) + 1]
    return list(dict.fromkeys((scale.low, *between, scale.high)))


def _mark(mark: CurveMark, step: int, x: float, y: float, bottom: float) -> str:
    title = escape(f"{mark.code} ({mark.severity}), step {step:,}: {mark.message}")
    shape = SHAPES.get(mark.severity, SHAPES["info"])
    return (
        f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{y + 8}" y2="{bottom}"/>'
        f'<path class="mark {mark.severity}" d="M{x - 4:.1f},{y}{shape}"><title>{title}</title></path>'
    )
