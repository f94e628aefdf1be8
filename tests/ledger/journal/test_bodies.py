import orjson
import pytest

from ledger.journal import bodies

REPORT = {"findings": [], "skips": []}
FINDING = {"code": "TXT003", "severity": "error", "message": "x"}


@pytest.mark.parametrize(
    ("kind", "body", "says"),
    [
        ("run.started", {"run": "exp7", "data": {"source": None}, "git": None}, ""),
        ("run.started", {"run": 7}, ".run should be a text"),
        ("run.started", {"data": {"source": "test.ko"}}, ".data.source should be an object"),
        ("run.started", {"command": "python train.py"}, ".command should be a list of texts"),
        ("run.finished", {"seconds": "41 s"}, ".seconds should be a number"),
        ("run.finished", {"seconds": True}, ".seconds should be a number"),
        ("run.finished", {"metrics": {"bleu": {"value": "22"}}}, ".metrics.bleu.value should be a number"),
        ("run.finished", {"metrics": {"bleu": 22.4}}, ".metrics.bleu should be an object"),
        ("run.finished", {"verdict": "passed"}, ".verdict should be pass or fail or inconclusive"),
        ("run.finished", {"report": REPORT}, ""),
        ("run.finished", {"report": {"findings": []}}, ".report.skips is missing"),
        (
            "run.finished",
            {"report": {**REPORT, "findings": [FINDING, {**FINDING, "severity": 2}]}},
            ".report.findings[1].severity should be info or warning or error",
        ),
        ("run.finished", {"checkpoints": [{"step": None}]}, ".checkpoints[0].step should be a whole number"),
        ("run.finished", {"series": {"first": [[1, 9.5], [2]]}}, ".series.first[1] should be two numbers"),
        ("environment", {"digest": "x", "facts": {"packages": {"torch": "2.1"}, "python": "3.11"}}, ""),
        (
            "environment",
            {"digest": "x", "facts": {"packages": {"torch": {}}}},
            ".facts.packages.torch should be a text",
        ),
        ("acceptance", {"code": "TXT003", "why": "fine"}, ".experiment is missing"),
        ("of.a.later.release", {"anything": [1]}, ""),
    ],
)
def test_what_does_not_fit_is_named(kind, body, says):
    assert bodies.problem(kind, body) == says


def test_what_older_releases_wrote_fits(pytestconfig):
    lines = (pytestconfig.rootpath / "tests/data/journals/v1.jsonl").read_bytes().splitlines()
    entries = [orjson.loads(line) for line in lines]
    assert [bodies.problem(one["kind"], one["body"]) for one in entries] == [""] * len(entries)
