"""GAT001: which runs count for which changed spec."""

import pytest

from guards.gate import spec_without_run
from guards.guard import inspect
from ledger.evidence import Evidence
from ledger.evidence.gate import FIRST_COMMIT, ChangedSpec, ChangedSpecs, SpecRun, SpecRuns

NEW = ChangedSpec("exp11", "sha256:new", is_new=True)
CHANGED = ChangedSpec("exp5", "sha256:new", is_new=False)
PLANNED = ChangedSpec("exp3", "sha256:new", is_new=True, planned=True)
BROKEN = ChangedSpec("exp9", "", is_new=False, problem="experiments/exp9.yaml, line 3: no such key")
UNMADE = SpecRun("", "exp11", "sha256:new", passed=False, now=True, problem="no space left")


def ran(experiment="exp11", digest="sha256:new", passed=True, now=False, codes=()):
    return SpecRun(f"{experiment}-abc123", experiment, digest, passed, codes, now)


@pytest.mark.parametrize(
    ("spec", "runs", "severity", "message"),
    [
        (NEW, [], "error", "has no finished run"),
        (NEW, [ran()], None, ""),
        (NEW, [ran("exp5")], None, ""),  # the same digest under another name is the same run
        (NEW, [ran(digest="sha256:old")], "error", "exp11-abc123 ran another version of the spec"),
        (NEW, [ran(passed=False, codes=("TXT001",))], "error", "did not pass: TXT001"),
        (NEW, [ran(passed=False), ran()], None, ""),
        (NEW, [ran(now=True)], "info", "never run for real, and passed a rehearsal made just now"),
        (NEW, [ran(now=True, passed=False, codes=("SCO001",))], "error", "did not pass: SCO001"),
        (NEW, [UNMADE], "error", "could not be rehearsed: no space left"),
        (CHANGED, [ran("exp5", "sha256:old")], "error", "runs something else"),
        (CHANGED, [ran("exp5", "sha256:old"), ran("exp5", now=True)], "error", "was not run since"),
        (CHANGED, [ran("exp5", "sha256:old"), ran("exp5")], None, ""),
        (PLANNED, [], "info", "planned"),
        (PLANNED, [ran("exp3", passed=False)], "error", "did not pass"),
        (BROKEN, [], "error", "no such key"),
    ],
)
def test_a_changed_spec_and_its_runs(spec, runs, severity, message):
    expected = Evidence(ChangedSpecs("main", (spec,)))
    report = inspect([spec_without_run], expected, Evidence(SpecRuns(tuple(runs))))
    assert [finding.severity.label for finding in report.findings] == ([severity] if severity else [])
    assert all(message in finding.message for finding in report.findings)


@pytest.mark.parametrize(("base", "shown"), [("main", "(against main)"), (FIRST_COMMIT, "(first commit)")])
def test_the_message_names_the_base(base, shown):
    report = inspect([spec_without_run], Evidence(ChangedSpecs(base, (NEW,))), Evidence(SpecRuns()))
    assert report.findings[0].message.startswith(f"exp11 is new {shown} and has no finished run")
