"""A forecasting on the report: its time frames beside its parent's, and no plot of a BLEU that it has not."""

import re

import pytest

from ledger.commands.report import ReportRequest, collect, report
from ledger.journal.store import open_journal
from ledger.workspace import Workspace

MEMBERS = [
    {"name": "M1", "value": -0.011, "count": 5000, "parent": 0.002563},
    {"name": "H1", "value": None, "count": 5000, "parent": 0.033896},
]
SAVE = {"step": 970, "path": "x", "memory": None, "reloaded": None, "verdict": "pass", "marked": True}


def record(root, **parent):
    (root / "experiments").mkdir()
    (root / "pyproject.toml").touch()
    workspace = Workspace(root)
    head = {"run": "t5-v57-0a1b2c", "experiment": "t5-v57", "mode": "real"}
    family = {"name": "correlation", "members": MEMBERS, "signature": "pearson", **parent}
    journal = open_journal(workspace, "real")
    journal.append("run.started", {**head, "spec": {"task": "forecasting"}, "data": {}})
    nothing = {"findings": [], "skips": [], "passed": []}
    done = {"status": "finished", "verdict": "pass", "report": nothing, "checkpoints": [SAVE]}
    journal.append("run.finished", {**head, **done, "family": family})
    return workspace


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "1 of 2 better than in t5-v56-0a1b2c"), ("ja", "2 件中 1 件が t5-v56-0a1b2c より改善")],
)
def test_time_frames_stand_beside_their_parents(tmp_path, language, said):
    workspace = record(tmp_path, parent={"run": "t5-v56-0a1b2c", "improved": 1, "of": 2})
    html = report(workspace, ReportRequest(language=language))
    cells = re.findall(r'<td class="n">([^<]*)</td>', html[html.index('id="families"') :])
    assert cells[:4] == ["-0.0110", "–", "+0.0026", "+0.0339"]
    assert said in html
    assert 'id="curves"' not in html


def test_without_a_parent_it_stands_alone(tmp_path):
    workspace = record(tmp_path)
    (family,) = collect(workspace).families
    assert family.parent is None
    assert "better than" not in report(workspace, ReportRequest())
