"""GAT004: an open error of this branch fails, one of the base is a warning, one made good a note."""

import pytest

from guards.gate import open_finding
from guards.guard import inspect
from ledger.evidence import Evidence
from ledger.evidence.gate import KnownRuns, OpenFindings, RunFindings
from ledger.findings import Finding, Severity

REPEATS = Finding("TXT001", Severity.ERROR, "3 of 10 lines repeat themselves")


def run(name, successor=None):
    return RunFindings(name, name.partition("-")[0], (REPEATS,), successor)


@pytest.mark.parametrize(
    ("runs", "reported"),
    [
        ([], []),
        ([run("exp5-new")], ["error"]),
        ([run("exp5-new"), run("exp6-new")], ["error", "error"]),
        ([run("exp5-old"), run("exp6-old")], ["warning"]),
        ([run("exp5-new", "exp5-later")], ["info"]),
        ([run("exp5-old", "exp5-later")], []),
    ],
)
def test_what_is_open_and_since_when(runs, reported):
    expected = Evidence(KnownRuns("main", frozenset({"exp5-old", "exp6-old"})))
    actual = Evidence(OpenFindings(tuple(runs)))
    report = inspect([open_finding], expected, actual)
    assert [finding.severity.label for finding in report.findings] == reported


def test_it_names_run_and_code():
    actual = Evidence(OpenFindings((run("exp5-new"),)))
    report = inspect([open_finding], Evidence(KnownRuns("main")), actual)
    assert "exp5-new has TXT001 open: 3 of 10" in report.findings[0].message
