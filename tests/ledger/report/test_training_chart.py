"""The curve of a training on the report, with the steps at which guards found something."""

import re
from html import unescape

import pytest

from ledger.commands.report import ReportRequest, collect, report
from ledger.journal.store import open_journal
from ledger.report.page import CurveMark, TrainingCurve
from ledger.report.training_chart import POINTS, summary, thin, training_chart
from ledger.tracking.series import MetricPoint, append_points
from ledger.workspace import Workspace

SPIKE = {
    "code": "TRN004",
    "severity": "warning",
    "message": "the loss is 40 at step 700 & it <has> not recovered",
    "measured": 9.5,
    "threshold": 7.0,
    "evidence": {"steps": [700, 710]},
}
SAVED = {
    "code": "CKP007",
    "severity": "error",
    "message": "checkpoint-800: the score fell",
    "evidence": {"step": 800},
}
RISE = {"code": "TRN012", "severity": "info", "message": "eval_loss rose", "evidence": {"last_step": 900}}
SETTING = {"code": "TRN013", "severity": "warning", "message": "max_steps", "evidence": {"setting": "x"}}


def losses(rows=1000):
    """A loss that falls from 4 to 1 and jumps to 40 at step 700."""
    return [(step, 40.0 if step == 700 else 4 - 3 * step / rows) for step in range(rows)]


@pytest.fixture
def workspace(tmp_path):
    """One training with its series, one import with series of another tool's names, one run without."""
    (tmp_path / "experiments").mkdir()
    (tmp_path / "pyproject.toml").touch()
    workspace = Workspace(tmp_path)
    journal = open_journal(workspace, "real")
    report = {"findings": [SPIKE, SAVED, SETTING], "skips": [], "passed": []}
    for name in ("here", "elsewhere"):
        head = {"run": f"{name}-0a1b2c", "experiment": name, "mode": "real"}
        journal.append("run.started", {**head, "spec": {"task": "training"}, "data": {}})
        done = {"status": "finished", "verdict": "fail", "report": report, "checkpoints": []}
        journal.append("run.finished", {**head, **done})
    named = {"findings": [RISE], "skips": [], "passed": []}
    claimed = {"run": "theirs-1", "experiment": "theirs", "mode": "imported", "claims": {}, "report": named}
    journal.append("run.imported", claimed)
    points = [MetricPoint("loss", loss, 1, step) for step, loss in losses()]
    points += [MetricPoint("loss", 1.0, 2, 999), MetricPoint("amp_scale", 8.0, 1, 3)]
    append_points(workspace.runs / "here-0a1b2c", points)
    other = [("train/loss", 2.0), ("eval/loss", 1.0), ("train/grad_norm", 0.5)]
    append_points(
        workspace.runs / "theirs-1",
        [MetricPoint(name, value / step, 1, 100 * step) for name, value in other for step in (1, 5, 9)],
    )
    return workspace


def test_each_training_and_import_with_a_series_has_a_curve(workspace):
    theirs, here = (view.training for view in collect(workspace).views if view.training)
    assert (theirs.run, here.run) == ("theirs-1", "here-0a1b2c")
    assert list(theirs.series) == ["loss", "eval_loss", "grad_norm"]
    assert here.series == {"loss": (*losses()[:999], (999, 1.0))}
    assert [(mark.code, mark.steps) for mark in here.marks] == [("TRN004", (700, 710)), ("CKP007", (800,))]
    assert [(mark.code, mark.severity, mark.steps) for mark in theirs.marks] == [("TRN012", "info", (900,))]


def test_the_page_marks_where_guards_spoke(workspace):
    html = report(workspace, ReportRequest())
    section = html[html.index('<section class="view"') :]
    pictures = re.findall(r'<svg[^>]*aria-label="([^"]*)">(.*?)</svg>', section)
    assert len(pictures) == 2
    words, picture = next(one for one in pictures if one[0].startswith("here"))
    assert "loss 4 (step 0) → 1 (step 999), lowest 1 (step 999)" in words
    assert "TRN004 (warning) at step 700, 710; CKP007 (error) at step 800" in words
    marks = re.findall(r'<path class="mark (\w+)" d="M([\d.]+),[^"]*"><title>([^<]*)</title>', picture)
    assert [severity for severity, *_ in marks] == ["warning", "warning", "error"]
    places = [float(x) for _, x, _ in marks]
    assert places == sorted(places)
    assert unescape(marks[0][2]) == f"TRN004 (warning), step 700: {SPIKE['message']}"
    assert ">TRN004</text>" in picture
    assert ">CKP007</text>" in picture
    text = unescape(re.sub(r"<[^>]*>", "", section))
    assert "▲ TRN004 warning, step 700, 710: the loss is 40 at step 700" in text
    assert "✕ CKP007 error, step 800: checkpoint-800: the score fell" in text
    assert "◆ TRN012 info, step 900: eval_loss rose" in text


def test_the_markdown_says_the_same(workspace):
    text = report(workspace, ReportRequest(markdown=True))
    assert "loss 4 (step 0) → 1 (step 999), lowest 1 (step 999); TRN004 (warning) at step 700, 710" in text
    assert "TRN012 (info) at step 900" in text


def test_without_a_series_there_is_no_section(tmp_path):
    (tmp_path / "experiments").mkdir()
    assert 'class="plot"' not in report(Workspace(tmp_path), ReportRequest())


def test_a_long_training_makes_a_small_chart_that_keeps_its_spike():
    points = tuple(losses(100_000))
    kept = thin(points)
    assert len(kept) <= POINTS
    assert {(700, 40.0), points[-1]} <= set(kept)
    assert list(kept) == sorted(kept)
    marks = tuple(CurveMark(f"TRN{n:03}", "warning", tuple(range(20)), "x" * 300) for n in range(20))
    assert len(training_chart(TrainingCurve("a-1", {"loss": points}, marks), "step")) < 250_000


@pytest.mark.parametrize(
    ("series", "axis"),
    [
        ({"loss": ((10, 0.0), (20, 0.0))}, ["0"]),
        ({"loss": ((1, -2.0), (2, 3.0))}, ["-2", "0.5", "3"]),
        ({"loss": ((1, 100.0), (2, 0.01))}, ["0.01", "0.1", "1", "10", "100"]),
        ({"grad_norm": ((0, 1.0), (0, 2.0))}, ["0", "1", "2"]),
        ({"loss": ((5, 1e300), (6, 1e-300))}, ["1e-300"]),
    ],
)
def test_any_values_have_an_axis(series, axis):
    picture = training_chart(TrainingCurve("a-1", series), "step")
    assert "nan" not in picture
    shown = re.findall(r'text-anchor="end">([^<]*)</text>', picture)
    assert shown[: len(axis)] == axis


def test_a_mark_beyond_the_last_logged_step_stays_on_the_chart():
    curve = TrainingCurve(
        "a-1", {"loss": ((10, 2.0), (20, 1.0))}, (CurveMark("TRN001", "error", (40,), "NaN"),)
    )
    assert 'd="M616.0,' in training_chart(curve, "step")
    assert summary(curve).endswith("TRN001 (error) at step 40")
