import pytest

from guards.preflight import uncommitted_changes
from ledger.evidence.preflight import GitExpectation, GitState
from ledger.findings import Severity

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def look(*changed, clean=False, commit=COMMIT):
    return list(uncommitted_changes.inspect(GitExpectation(clean), GitState(commit, "main", changed)))


@pytest.mark.parametrize("clean", [False, True])
def test_a_clean_tree_passes(clean):
    assert look(clean=clean) == []


@pytest.mark.parametrize(("clean", "severity"), [(False, Severity.WARNING), (True, Severity.ERROR)])
def test_the_spec_decides_how_much_it_weighs(clean, severity):
    (finding,) = look("train.py", clean=clean)
    assert finding.severity is severity
    assert ("clean: true" in finding.message) is clean


def test_a_few_files_are_named():
    (finding,) = look("a.py", "b.py", "c.py", "d.py", "e.py")
    assert finding.message == "5 files differ from commit 0123456789: a.py, b.py, c.py and 2 more"
    assert finding.measured == 5


def test_one_file_is_reported_in_the_singular():
    (finding,) = look("a.py")
    assert finding.message == "1 file differs from commit 0123456789: a.py"


def test_a_repository_without_commits_is_reported():
    (finding,) = look(commit=None)
    assert "there is no commit yet" in finding.message
