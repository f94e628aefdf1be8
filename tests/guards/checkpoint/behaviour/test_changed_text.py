from dataclasses import replace

import pytest

from guards.checkpoint.behaviour import changed_text as guard
from ledger.findings import Severity, Skip


def changed(snapshot, lines):
    """The same sample, its first `lines` lines translated otherwise."""
    output = tuple(f"{text}!" if n < lines else text for n, text in enumerate(snapshot.sample.output))
    return replace(snapshot, sample=replace(snapshot.sample, output=output))


def logits(snapshot, difference, dtype="bfloat16"):
    forward = replace(snapshot.forward, logits_digest="sha256:other", max_difference=difference, dtype=dtype)
    return replace(snapshot, forward=forward)


def other_settings(snapshot):
    return replace(snapshot, sample=replace(snapshot.sample, settings={"num_beams": 5}))


def other_config(snapshot):
    generation = {**snapshot.effective.generation, "max_length": 8}
    return replace(snapshot, effective=replace(snapshot.effective, generation=generation))


@pytest.mark.parametrize(
    ("change", "severity", "reported"),
    [
        (lambda good: good, None, ""),
        (lambda good: logits(good, 0.03), None, ""),
        (
            lambda good: changed(good, 1),
            Severity.ERROR,
            "31 of 32 lines are the same as at the save; with bit-equal logits",
        ),
        (lambda good: changed(other_settings(good), 9), Severity.WARNING, "with different settings"),
        (lambda good: changed(other_config(good), 32), Severity.WARNING, "0 of 32 lines"),
        (
            lambda good: changed(logits(good, 0.03), 2),
            Severity.INFO,
            "the logits differ within the tolerance",
        ),
        (lambda good: changed(logits(good, 0.03), 30), Severity.WARNING, "2 of 32 lines"),
        (lambda good: changed(logits(good, 9.0), 2), Severity.ERROR, "by more than rounding explains"),
        (lambda good: changed(logits(other_settings(good), 9.0), 2), Severity.ERROR, "more than rounding"),
        (
            lambda good: changed(replace(good, forward=None), 2),
            Severity.WARNING,
            "the logits, which could explain it, were not compared",
        ),
    ],
)
def test_the_severity_of_a_changed_line_depends_on_other_explanations(good, change, severity, reported):
    found = list(guard.inspect(good, change(good)))
    assert [finding.severity for finding in found] == ([severity] if severity is not None else [])
    assert all(reported in finding.message for finding in found)


def test_lines_that_changed_are_shown(good):
    (finding,) = guard.inspect(good, changed(good, 5))
    assert finding.measured == 1 - 5 / 32
    assert finding.evidence["samples"][0] == {
        "line": 1,
        "source": "ソース0",
        "before": "출력 0",
        "after": "출력 0!",
    }
    assert len(finding.evidence["samples"]) == 3


def test_other_lines_cannot_be_compared(good):
    other = replace(good, sample=replace(good.sample, source=("別の行",) * 32))
    (skip,) = guard.inspect(good, other)
    assert isinstance(skip, Skip)
    assert skip.required


def test_fewer_lines_than_at_the_save_are_not_the_same(good):
    (finding,) = guard.inspect(
        good, replace(good, sample=replace(good.sample, output=good.sample.output[:30]))
    )
    assert finding.severity is Severity.ERROR
    assert finding.message.startswith("30 of 32 lines")
