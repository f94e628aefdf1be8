"""Which runs are asked for."""

from datetime import UTC, datetime

import pytest

from ledger.errors import UsageError
from ledger.journal.query import Wanted, parse_bound, parse_since
from ledger.journal.run import Run


def run(**changes) -> Run:
    finding = {"code": "TXT001", "severity": "warning", "message": "…"}
    report = {"findings": [finding], "skips": [], "passed": []}
    given = {
        "id": "exp5-000001",
        "experiment": "exp5",
        "mode": "real",
        "time": "2026-11-22T06:00:00.000Z",
        "status": "finished",
        "started": {},
        "finished": {"verdict": "pass", "report": report, "metrics": {"bleu": {"value": 22.4}}},
    }
    return Run(**{**given, **changes})


@pytest.mark.parametrize(
    ("bound", "met"),
    [
        ("bleu>22", True),
        ("bleu > 22.4", False),
        ("bleu>=22.4", True),
        ("bleu<22.4", False),
        ("bleu<=22.4", True),
        ("chrf>0", False),  # it has no such score
        ("chrf<100", False),
    ],
)
def test_bounds(bound, met):
    assert parse_bound(bound)(run()) is met
    assert not parse_bound(bound)(run(finished=None, status="running"))


@pytest.mark.parametrize("text", ["", "bleu", "bleu>", ">30", "bleu=30", "bleu>thirty"])
def test_an_invalid_bound(text):
    with pytest.raises(UsageError, match="invalid bound"):
        parse_bound(text)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-22", "2026-11-22T00:00:00.000Z"),
        ("2026-11-22T15:00:00+09:00", "2026-11-22T06:00:00.000Z"),
        ("2026-11-22T06:00:00Z", "2026-11-22T06:00:00.000Z"),
    ],
)
def test_times(text, time):
    assert parse_since(text) == time


@pytest.mark.parametrize(("text", "seconds"), [("7d", 604800), ("12h", 43200), ("30m", 1800)])
def test_times_ago(text, seconds):
    ago = datetime.now(UTC) - datetime.fromisoformat(parse_since(text))
    assert abs(ago.total_seconds() - seconds) < 60


@pytest.mark.parametrize("text", ["", "yesterday", "7", "7w", "2026-13-01"])
def test_an_invalid_time(text):
    with pytest.raises(UsageError, match="invalid time"):
        parse_since(text)


@pytest.mark.parametrize(
    ("wanted", "has"),
    [
        (Wanted(), True),
        (Wanted(experiment="exp5", mode="real", verdict="pass"), True),
        (Wanted(experiment="exp6"), False),
        (Wanted(mode="rehearsal"), False),
        (Wanted(code="TXT001"), True),
        (Wanted(code="TXT002"), False),
        (Wanted(since="2026-11-22T00:00:00.000Z"), True),
        (Wanted(since="2026-11-23T00:00:00.000Z"), False),
    ],
)
def test_a_run_is_among_those_wanted(wanted, has):
    assert wanted.has(run()) is has
