import pytest
from hypothesis import given
from hypothesis import strategies as st

from guards.guard import inspect
from guards.scores import GUARDS, token_ratio
from guards.scores import low_bleu as bleu
from guards.scores import low_chrf as chrf
from ledger.evaluation.scoring import score
from ledger.evidence import Evidence, Unobserved
from ledger.evidence.metrics import Metric
from ledger.evidence.scores import ScoreLimits, Scores
from ledger.findings import Severity, Skip, Verdict


def scores(bleu=30.0, chrf=45.0, output_tokens=100, reference_tokens=100):
    return Scores(Metric(bleu, "BLEU|x"), Metric(chrf, "chrF2++|x"), 0.9, output_tokens, reference_tokens, 32)


@pytest.mark.parametrize(
    ("guard", "limits", "measured", "threshold"),
    [
        (bleu, ScoreLimits(min_bleu=30.0), None, None),
        (bleu, ScoreLimits(min_bleu=30.01), 30.0, 30.01),
        (bleu, ScoreLimits(min_bleu=0.0), None, None),
        (chrf, ScoreLimits(min_chrf=45.0), None, None),
        (chrf, ScoreLimits(min_chrf=60), 45.0, 60),
        (token_ratio, ScoreLimits(), None, None),
        (token_ratio, ScoreLimits(min_token_ratio=1.0, max_token_ratio=1.0), None, None),
        (token_ratio, ScoreLimits(min_token_ratio=1.1), 1.0, 1.1),
        (token_ratio, ScoreLimits(max_token_ratio=0.9), 1.0, 0.9),
    ],
)
def test_limits_include_their_own_value(guard, limits, measured, threshold):
    found = list(guard.inspect(limits, scores()))
    assert [(f.code, f.severity, f.measured, f.threshold) for f in found] == (
        [(guard.CODE, Severity.ERROR, measured, threshold)] if threshold is not None else []
    )


@pytest.mark.parametrize("guard", [bleu, chrf])
def test_no_limit_is_a_skip_and_no_pass(guard):
    assert [type(result) for result in guard.inspect(ScoreLimits(), scores())] == [Skip]


def test_no_reference_tokens_is_a_skip():
    (skip,) = token_ratio.inspect(ScoreLimits(), scores(reference_tokens=0))
    assert "no tokens" in skip.reason


@given(st.integers(0, 10_000), st.integers(1, 10_000))
def test_ratio_is_found_exactly_outside_the_range(output_tokens, reference_tokens):
    limits = ScoreLimits(min_token_ratio=0.5, max_token_ratio=2.0)
    found = list(
        token_ratio.inspect(limits, scores(output_tokens=output_tokens, reference_tokens=reference_tokens))
    )
    outside = output_tokens * 2 < reference_tokens or output_tokens > 2 * reference_tokens
    assert bool(found) is outside


def test_the_logs_truncated_output_is_reported_with_both_counts():
    (found,) = token_ratio.inspect(ScoreLimits(), scores(output_tokens=35_931, reference_tokens=71_078))
    assert "35,931" in found.message
    assert "71,078" in found.message
    assert found.measured == pytest.approx(0.506, abs=5e-4)


def test_real_scores_of_dots_fail_and_carry_the_signature():
    reference = ["設定を保存しました。", "ファイルを開けません。"] * 4
    expected = Evidence(ScoreLimits(min_bleu=20, min_chrf=20))
    report = inspect(GUARDS, expected, Evidence(score([". . ."] * 8, reference, "ja")))
    assert report.verdict is Verdict.FAIL
    assert [f.code for f in report.findings] == ["SCO001", "SCO002", "SCO003"]
    assert "tok:ja-mecab" in report.findings[0].evidence["signature"]


def test_no_reference_skips_all():
    actual = Evidence().including(Scores, Unobserved("no reference was given"))
    report = inspect(GUARDS, Evidence(ScoreLimits(min_bleu=1)), actual)
    assert [skip.code for skip in report.skips] == ["SCO001", "SCO002", "SCO003"]
