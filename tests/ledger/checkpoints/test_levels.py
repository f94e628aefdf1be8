"""What a verdict rests on, and which later verdict supersedes an earlier one."""

import pytest

from ledger.checkpoints.levels import levels_of, standing
from ledger.findings import Finding, Report, Severity, Skip

ALL = ("CKP001", "CKP002", "CKP003", "CKP004", "CKP005", "CKP006", "TXT001")


def report(*passed, found=(), skipped=()):
    return Report(
        tuple(Finding(code, Severity.ERROR, "wrong") for code in found),
        tuple(Skip(code, "unseen", required=True) for code in skipped),
        passed,
    )


@pytest.mark.parametrize(
    ("given", "levels"),
    [
        (report(), ()),
        (report(found=["CKP001"], skipped=ALL[1:]), ("files",)),
        (report(*ALL[:4]), ("files", "reloaded")),
        (report(*ALL[:4], "TXT001"), ("files", "reloaded", "text")),
        (report(*ALL[:4], found=["CKP005"]), ("files", "reloaded", "tensors")),
        (report(*ALL), ("files", "reloaded", "tensors", "logits", "text")),
    ],
)
def test_levels(given, levels):
    assert levels_of(given) == levels


def test_digests_of_cast_tensors_have_not_been_compared():
    cast = Finding("CKP005", Severity.INFO, "cast", evidence={"cast": ["a"]})
    assert levels_of(Report((cast,), passed=("CKP001",))) == ("files",)


def verdict(given, files="sha256:a", checkpoint="out/checkpoint-1", environment="e"):
    return {
        "files": files,
        "checkpoint": checkpoint,
        "environment": environment,
        "report": given.to_json(),
    }


FAILED = verdict(report(*ALL[:4], found=["CKP005"]))
PASSED = report(*ALL)
WEAK = report(*ALL[:4])


@pytest.mark.parametrize(
    ("later", "stands"),
    [
        pytest.param(verdict(PASSED), False, id="on the same levels"),
        pytest.param(verdict(PASSED, files="sha256:b"), False, id="on the files that replaced them"),
        pytest.param(verdict(PASSED, checkpoint="moved"), False, id="on the same files elsewhere"),
        pytest.param(verdict(WEAK), True, id="without the evidence that it failed by"),
        pytest.param(verdict(WEAK, files="sha256:b"), True, id="on other files, without evidence"),
        pytest.param(verdict(PASSED, environment="other"), True, id="in another environment"),
        pytest.param(verdict(PASSED, "sha256:b", "other"), True, id="on another checkpoint"),
        pytest.param(verdict(report(*ALL, skipped=["CKP007"])), True, id="inconclusive"),
    ],
)
def test_what_supersedes_a_failure(later, stands):
    assert standing([FAILED, later]) == ([FAILED, later] if stands else [later])


def test_files_without_a_digest_are_compared_by_path():
    cut = verdict(report(found=["CKP001"]), files=None)
    assert standing([cut, verdict(WEAK)]) == [verdict(WEAK)]
    assert standing([cut, verdict(WEAK, files=None, checkpoint="other")])[0] == cut
