"""The curves of a run as the data of the page's interactive plots (uPlot)."""

from collections.abc import Sequence

from ledger.findings import Json, Verdict
from ledger.journal.run import CheckpointRow
from ledger.report.page import Curve, CurveMark, RunView, Steps, TrainingCurve
from ledger.report.training_chart import PANELS, is_logarithmic, thin

POINTS = 30_000  # of all plots on a page together: some 400 KB
MOST_POINTS, LEAST_POINTS = 1_000, 60  # of one series
SCALE = [0, 100]


def points_per_series(views: Sequence[RunView]) -> int:
    """How many points each series may have, so that the page stays small however many trainings it shows."""
    series = sum(len(view.training.series) for view in views if view.training)
    return max(LEAST_POINTS, min(MOST_POINTS, POINTS // max(series, 1)))


def plot_data(
    training: TrainingCurve | None, curve: Curve | None, checkpoints: Sequence[CheckpointRow], most: int
) -> Json:
    """Panels of series by step, at most `most` points each, and marks at steps; None without curves."""
    panels = []
    known = training.series if training else {}
    for names in PANELS:
        shown = {name: known[name] for name in names if name in known}
        if shown:
            values = [value for points in shown.values() for _, value in points]
            series = [_series(name, name, thin(points, most)) for name, points in shown.items()]
            panels.append({"log": is_logarithmic(shown, values), "range": None, "series": series})
    if curve:
        sides = {name: _side(curve, name) for name in ("memory", "reloaded")}
        series = [_series(f"BLEU {name}", name, points) for name, points in sides.items() if points]
        panels.append({"log": False, "range": SCALE, "series": series})
    marks = _marks(training.marks if training else (), checkpoints)
    return {"panels": panels, "marks": marks} if panels else None


def _side(curve: Curve, name: str) -> Steps:
    return tuple((row.step, value) for row in curve.checkpoints if (value := getattr(row, name)) is not None)


def _series(label: str, kind: str, points: Steps) -> Json:
    by_step = dict(points)  # of two points at one step, the later
    steps = sorted(by_step)
    return {"label": label, "kind": kind, "x": steps, "y": [float(f"{by_step[at]:.5g}") for at in steps]}


def _marks(findings: Sequence[CurveMark], checkpoints: Sequence[CheckpointRow]) -> list[Json]:
    marks = {
        (step, mark.code): {"x": step, "code": mark.code, "severity": mark.severity}
        for mark in findings
        for step in mark.steps
    }
    for row in checkpoints:
        if row.verdict is Verdict.FAIL and not any(step == row.step for step, _ in marks):
            marks[row.step, "fail"] = {"x": row.step, "code": "fail", "severity": "error"}
    return list(marks.values())
