"""REP001 to REP003 on tables: equality is demanded, but for what rounding explains."""

from dataclasses import replace

import pytest

from guards.guard import inspect
from guards.reproduction import GUARDS, changed_exit, changed_output, changed_training
from ledger.evidence import Evidence
from ledger.evidence.metrics import Metric
from ledger.evidence.reproduction import Device, ExitTrace, OutputTrace, SaveTrace, TrainingTrace
from ledger.findings import Severity, Verdict

CPU = Device("float32", "cpu")
BF16 = Device("bfloat16", "cpu")
GPU = Device("float32", "cuda:0")


def bleu(value, signature="BLEU|tok:ja-mecab|version:2.6.0"):
    return Metric(value, signature, (0.0, 100.0))


def output(text, **changes):
    lines = tuple(text)
    return replace(
        OutputTrace("exp5-1", f"sha of {text}", lines, "", ("가", "나", "다"), bleu(90.0), CPU), **changes
    )


THEN = output("abc")


@pytest.mark.parametrize(
    ("now", "severity", "message"),
    [
        (output("abc"), None, ""),
        (output("abc", device=GPU), None, ""),
        (output("abc", bleu=bleu(1.0)), None, ""),
        (output("abX"), Severity.ERROR, "1 of 3 lines differs from exp5-1's, the first is line 3"),
        (output("Xbc", bleu=bleu(88.0)), Severity.ERROR, "BLEU 88.00 of 100, 90.00 in that run"),
        (output("Xbc", bleu=bleu(88.0, "tok:char")), Severity.ERROR, "the first is line 1"),
        (output("ab"), Severity.ERROR, "1 of 3 lines differ"),
        (output("abcd"), Severity.ERROR, "1 of 4 lines differ"),
        (output("abc", sha256="crlf"), Severity.ERROR, "line ends"),
        (output("abX", device=GPU), Severity.INFO, "within tolerance: device cuda:0, cpu in that run"),
        (
            output("abX", device=BF16),
            Severity.INFO,
            "within tolerance: data type bfloat16, float32 in that run",
        ),
        (output("abX", device=Device()), Severity.ERROR, "line 3"),
        (output("XbX", device=BF16), Severity.ERROR, "computed with data type bfloat16"),
        (output("abX", device=BF16, bleu=bleu(0.4)), Severity.ERROR, "BLEU 0.40"),
        (output("abX", lines=None, unseen="it is gone"), Severity.ERROR, "it is gone"),
    ],
)  # fmt: skip
def test_an_output_is_the_same_or_the_first_difference_is_reported(now, severity, message):
    found = list(changed_output.inspect(THEN, now))
    if severity is None:
        assert found == []
        return
    (finding,) = found
    assert finding.severity is severity
    assert message in finding.message
    if now.lines and finding.measured < 1:
        first = finding.evidence["first"]
        assert first["then"] != first["now"]


def test_the_first_line_is_shown_with_its_source():
    (finding,) = changed_output.inspect(THEN, output("aXc"))
    assert finding.evidence["first"] == {"line": 2, "source": "나", "then": "b", "now": "X"}


def training(losses=((1, 7.5), (2, 6.25)), tensors=("t5", "t10"), scores=(10.0, 90.0), device=CPU):
    saves = tuple(
        SaveTrace(step, digest, score, score)
        for step, digest, score in zip((5, 10), tensors, scores, strict=False)
    )
    return TrainingTrace("t-1", losses, saves, device)


@pytest.mark.parametrize(
    ("now", "severity", "message"),
    [
        (training(), None, ""),
        (
            training(losses=((1, 7.5), (2, 6.2500001))),
            Severity.ERROR,
            "loss 6.2500001 at step 2, 6.25 in that run",
        ),
        (training(losses=((1, 7.5),)), Severity.ERROR, "loss none at step 2"),
        (training(tensors=("t5", "other")), Severity.ERROR, "the tensors of checkpoint-10 differ"),
        (training(tensors=(), scores=(10.0, 80.0)), Severity.ERROR, "in only one of the two runs"),
        (training(tensors=(None, None), scores=(1.0, 8.0)), Severity.ERROR, "memory 1.00 at checkpoint-5"),
        (training(tensors=("t5",)), Severity.ERROR, "checkpoint-10 exists in only one of the two runs"),
        (training(tensors=(None, None)), None, ""),
        (training(losses=()), None, ""),
        (training(losses=((2, 6.25),)), None, ""),
        (training(losses=((1, 7.5), (2, float("nan")))), Severity.ERROR, "loss nan at step 2"),
        (training(((1, 7.5), (2, 6.2501)), ("a", "b"), device=GPU), Severity.INFO, "within tolerance 0.001"),
        (training(((1, 7.5), (2, 6.4)), ("a", "b"), device=BF16), Severity.INFO, "within tolerance 0.5"),
        (training(((1, 7.5), (2, 6.26)), ("a", "b"), device=GPU), Severity.ERROR, "step 2"),
        (training(((1, 7.5), (3, 6.25)), device=GPU), Severity.ERROR, "step 2"),
        (training(losses=(), tensors=("a", "b"), device=GPU), Severity.ERROR, "checkpoint-5"),
    ],
)  # fmt: skip
def test_a_training_is_the_same_or_the_first_step_is_reported(now, severity, message):
    found = list(changed_training.inspect(training(), now))
    assert [finding.severity for finding in found] == ([severity] if severity is not None else [])
    assert message in (found[0].message if found else "")


def test_two_nans_are_the_same_and_json_can_hold_one():
    nan = training(losses=((1, float("nan")), (2, 6.25)))
    assert list(changed_training.inspect(nan, nan)) == []
    (finding,) = changed_training.inspect(nan, training())
    assert finding.evidence["first_loss"]["then"] == "nan"


def test_a_training_without_records_is_not_a_pass():
    report = inspect([changed_training], Evidence(TrainingTrace("t")), Evidence(training()))
    assert report.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(("then", "now", "found"), [(0, 0, 0), (3, 3, 0), (0, 1, 1), (2, 0, 1)])
def test_a_command_ends_alike(then, now, found):
    assert len(list(changed_exit.inspect(ExitTrace("c", then), ExitTrace("c", now)))) == found


def test_what_was_not_compared_is_a_skip():
    report = inspect(GUARDS, Evidence(), Evidence())
    assert {skip.code for skip in report.skips} == {"REP001", "REP002", "REP003"}
