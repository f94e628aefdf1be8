"""DUP001, DUP002 and DUP003 on one table: which of them speaks for which pair of runs."""

import hashlib
from dataclasses import replace

import pytest

from guards.guard import inspect
from guards.identity import AFTER, duplicate_output, not_reproduced, reproduced
from ledger.evidence import Evidence, Unobserved
from ledger.evidence.identity import History, RunIdentity
from ledger.findings import Severity, Verdict

SPEC = {"model": {"name": "facebook/mbart-large-50-many-to-many-mmt"}, "generation": {"num_beams": 3}}
BEAMS = {**SPEC, "generation": {"num_beams": 5}}


def digests(text):
    raw = text.encode()
    return {"md5": hashlib.md5(raw).hexdigest(), "sha256": hashlib.sha256(raw).hexdigest()}


EXP5 = RunIdentity(
    "exp5-3fa91c", "exp5", "sha256:in", SPEC, "sha256:env", digests("訳\n"), "2026-11-22T06:15:30Z"
)
OTHER_TEXT = digests("別の訳\n")


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, ["DUP002"]),
        ({"experiment": "exp7"}, ["DUP001"]),
        ({"spec": BEAMS, "inputs": "sha256:beams"}, ["DUP001"]),
        ({"experiment": "exp9", "spec": BEAMS, "inputs": "sha256:beams"}, ["DUP001"]),
        ({"output": OTHER_TEXT}, ["DUP003"]),
        ({"output": OTHER_TEXT, "experiment": "exp7"}, ["DUP003"]),
        ({"output": OTHER_TEXT, "environment": "sha256:other"}, []),
        ({"output": OTHER_TEXT, "inputs": "sha256:beams"}, []),
        ({"output": {"sha256": EXP5.output["sha256"]}}, ["DUP002"]),
        ({"output": {"blake3": "x"}}, []),
        # A collision of MD5 alone is no identity.
        ({"output": {**OTHER_TEXT, "md5": EXP5.output["md5"]}}, ["DUP003"]),
    ],
)
def test_which_code_is_reported(changes, codes):
    run = replace(EXP5, run="new-1", **changes)
    report = inspect(AFTER, Evidence(History([EXP5])), Evidence(run))
    assert [finding.code for finding in report.findings] == codes
    assert report.skips == ()
    assert report.verdict is Verdict.PASS, "identity warns, and is an error only where a gate says so"


def test_an_empty_history_passes():
    report = inspect(AFTER, Evidence(History()), Evidence(EXP5))
    assert report.passed == ("DUP001", "DUP002", "DUP003")


def test_no_output_is_a_skip():
    run = replace(EXP5, run="new-1", output={})
    report = inspect(AFTER, Evidence(History([EXP5])), Evidence(run))
    assert [skip.code for skip in report.skips] == ["DUP001", "DUP002", "DUP003"]


def test_an_unobserved_history_is_a_skip():
    expected = Evidence().including(History, Unobserved("the journal cannot be read"))
    assert len(inspect(AFTER, expected, Evidence(EXP5)).skips) == len(AFTER)


def test_a_duplicate_names_the_run_and_the_shared_cause():
    (finding,) = duplicate_output.inspect(History([EXP5]), replace(EXP5, run="exp7-1", experiment="exp7"))
    md5 = EXP5.output["md5"]
    assert finding.severity is Severity.WARNING
    assert finding.message == (
        f"output is MD5-identical (md5:{md5}) to exp5-3fa91c's; "
        "shared cause: the same inputs, that is model, codes, generation settings and data"
    )


def test_a_duplicate_names_the_parameter_without_effect():
    exp9 = replace(EXP5, run="exp9-1", experiment="exp9", spec=BEAMS, inputs="sha256:beams")
    (finding,) = duplicate_output.inspect(History([EXP5]), exp9)
    assert finding.message.endswith(
        "the specs differ in generation.num_beams (3 -> 5), which had no effect on the output"
    )
    assert finding.evidence["spec_differences"] == [
        {"field": "generation.num_beams", "before": 3, "after": 5}
    ]


def test_a_duplicate_with_other_data_names_the_data():
    (finding,) = duplicate_output.inspect(History([EXP5]), replace(EXP5, run="a-1", inputs="sha256:data"))
    assert "the data differ" in finding.message


def test_duplicates_are_reported_once_per_experiment_by_its_newest_run():
    history = History([EXP5, replace(EXP5, run="exp5-2"), replace(EXP5, run="exp8-1", experiment="exp8")])
    found = list(duplicate_output.inspect(history, replace(EXP5, run="exp7-1", experiment="exp7")))
    assert [finding.evidence["run"] for finding in found] == ["exp5-2", "exp8-1"]


def test_digests_that_bear_their_algorithm_are_shown_once():
    prefixed = {"sha256": "sha256:e3b0"}
    (finding,) = reproduced.inspect(
        History([replace(EXP5, output=prefixed)]), replace(EXP5, run="exp5-2", output=prefixed)
    )
    assert (
        finding.message
        == "reproduced: output identical (sha256:e3b0) to exp5-3fa91c's of the same experiment"
    )
    assert finding.severity is Severity.INFO


def test_not_reproduced_counts_the_runs_it_was_held_against():
    history = History([EXP5, replace(EXP5, run="exp5-2"), replace(EXP5, run="exp5-3", output=OTHER_TEXT)])
    (finding,) = not_reproduced.inspect(history, replace(EXP5, run="exp5-4", output=OTHER_TEXT))
    assert finding.severity is Severity.WARNING
    assert "exp5-2 had the same inputs" in finding.message
    assert finding.measured == 2
    assert finding.evidence == {"runs": ["exp5-3fa91c", "exp5-2"], "compared": 3}


def test_an_unknown_environment_cannot_tell_whether_it_was_reproduced():
    run = replace(EXP5, run="exp5-2", environment=None, output=OTHER_TEXT)
    (skip,) = not_reproduced.inspect(History([EXP5]), run)
    assert "environment" in skip.reason
