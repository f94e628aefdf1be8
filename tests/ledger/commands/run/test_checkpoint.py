"""The checkpoints of a run summed up: one report, and scores with where they are from."""

from pathlib import Path

from ledger.commands.run.checkpoint import Checkpoint, combine_reports, own_metrics, sample_metrics
from ledger.evidence.metrics import Metric
from ledger.evidence.training import EvaluationPoint
from ledger.findings import Finding, Report, Severity, Skip, Verdict

NO_CLAIM = Skip("CKP016", "no BLEU or chrF is claimed for the checkpoint")
BARE = Finding("CKP017", Severity.WARNING, "claimed without a signature: bleu 4.59")


def checkpoint(step, *, findings=(), skips=(), passed=(), **more):
    return Checkpoint(step, Path(f"out/checkpoint-{step}"), Report(findings, skips, passed), **more)


def combined(*checkpoints):
    return combine_reports(checkpoints, warn_only=False)


def test_a_code_is_passed_only_where_no_checkpoint_skipped_it():
    report = combined(
        checkpoint(1, findings=(BARE,), passed=("CKP001", "CKP016")),
        checkpoint(2, skips=(NO_CLAIM, Skip("CKP017", "no score is claimed")), passed=("CKP001",)),
    )
    assert [(one.code, one.message) for one in report.findings] == [
        ("CKP017", "checkpoint-1: claimed without a signature: bleu 4.59")
    ]
    assert report.findings[0].steps == (1,)
    assert report.skips == (Skip("CKP016", f"checkpoint-2: {NO_CLAIM.reason}"),)
    assert report.passed == ("CKP001",)


def test_a_skip_that_can_never_apply_is_not_listed():
    report = combined(*(checkpoint(step, skips=(NO_CLAIM, Skip("CKP006", "no ids"))) for step in (1, 2)))
    assert report.skips == (Skip("CKP006", "no ids"),)


def test_a_required_skip_is_kept_whatever_the_others_say():
    lost = Skip("CKP005", "the digests are gone", required=True)
    report = combined(checkpoint(1, skips=(lost,)), checkpoint(2, passed=("CKP005",)))
    assert report.skips == (Skip("CKP005", "checkpoint-1: the digests are gone", required=True),)
    assert report.verdict is Verdict.INCONCLUSIVE


def test_a_sample_is_called_so_and_an_evaluation_says_whose_it_is():
    scores = {"memory": Metric(1.3, "nrefs:1"), "reloaded": Metric(1.34, "nrefs:1")}
    found = sample_metrics([checkpoint(1, marked=True, **scores), checkpoint(2, **scores)])
    assert {name: one["value"] for name, one in found.items()} == {
        "sample_bleu": 1.34,
        "sample_bleu_memory": 1.3,
    }
    evaluations = [
        EvaluationPoint(100, {"eval_bleu": 4.2, "eval_loss": 2.0}),
        EvaluationPoint(200, {"eval_bleu": 4.59, "eval_loss": float("nan")}),
    ]
    own = own_metrics(evaluations)
    assert {name: (one["value"], one["signature"]) for name, one in own.items()} == {
        "eval_bleu": (4.59, "the script's own evaluation at step 200"),
        "eval_loss": (2.0, "the script's own evaluation at step 100"),
    }
