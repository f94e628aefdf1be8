"""CKP016 and CKP017: what is claimed of a checkpoint."""

import pytest

from guards.checkpoint.origin import doubtful_score, unsigned_score
from ledger.evidence.metrics import Metric
from ledger.evidence.provenance import Measured, ScoreClaim, ScoreClaims
from ledger.findings import Severity, Skip

NAN = float("nan")


def claimed(value, metric="bleu", earlier=()):
    return ScoreClaims((ScoreClaim(metric, value, "--claim"),), {"bleu": earlier} if earlier else {})


def measured(value, lines=32):
    return Measured({"bleu": Metric(value, "tok:ko-mecab")}, lines) if value is not None else Measured()


@pytest.mark.parametrize(
    ("claim", "earlier", "score", "severity"),
    [
        (61.0, (), None, None),
        (61.0, (33.03,), 58.0, None),
        (0.0, (), None, None),
        (100.0, (), 99.0, None),
        # A share of 1, or points of 100?
        (0.22, (), None, Severity.WARNING),
        (0.22, (33.03,), None, Severity.WARNING),
        (0.22, (33.03,), 21.7, Severity.WARNING),
        (0.22, (33.03,), 0.01, Severity.WARNING),
        (1.0, (), None, Severity.WARNING),
        (0.22, (), 21.7, Severity.WARNING),
        (0.31, (), 0.12, None),  # a model that has only begun to learn
        # Contradicted.
        (98.2, (), 1.3, Severity.ERROR),
        (2.0, (), 61.0, Severity.ERROR),
        (0.02, (), 61.0, Severity.ERROR),
        # Nothing finer than collapse.
        (30.0, (), 12.0, None),
        # On no scale.
        (240.0, (), None, Severity.ERROR),
        (-1.0, (), None, Severity.ERROR),
        (NAN, (), 50.0, Severity.ERROR),
    ],
)
def test_what_a_claim_is_worth(claim, earlier, score, severity):
    found = list(doubtful_score.inspect(claimed(claim, earlier=earlier), measured(score)))
    assert [finding.severity for finding in found] == ([severity] if severity is not None else [])


def test_a_bleu_of_0_22_where_the_same_pipeline_recorded_33_03():
    (finding,) = doubtful_score.inspect(claimed(0.22, earlier=(12.0, 33.03)), measured(0.01))
    assert finding.message == (
        "bleu 0.22 (--claim) is on a doubtful scale: 0.22 of 100, or 22; the same pipeline recorded 33.03 on "
        "0-100, so 0.22 would be close to nothing; 0.01 of 100 was measured, which supports 0.22"
    )


def test_a_share_of_1_that_was_measured_as_such():
    (finding,) = doubtful_score.inspect(claimed(0.22), measured(21.7))
    assert finding.message.endswith("21.70 of 100 was measured, which supports 22")


def test_a_contradiction_over_few_lines_is_a_warning():
    (finding,) = doubtful_score.inspect(claimed(98.2), measured(1.3, lines=8))
    assert finding.severity is Severity.WARNING
    assert finding.message == "bleu 98.2 (--claim) is claimed, but 1.30 of 100 was measured over 8 lines"


def test_a_score_without_a_scale_can_be_written_as_json():
    (finding,) = doubtful_score.inspect(claimed(NAN), measured(None))
    assert finding.to_json()["evidence"]["claimed"] == "nan"


def test_other_metrics_have_other_scales():
    (skip,) = doubtful_score.inspect(claimed(0.8, metric="comet"), Measured())
    assert isinstance(skip, Skip)


def test_bare_numbers_are_reported_together():
    claims = ScoreClaims(
        (ScoreClaim("bleu", 0.22, "a"), ScoreClaim("chrf", 50.0, "b", "nc:6"), ScoreClaim("bleu", 61.0, "c"))
    )
    (finding,) = unsigned_score.inspect(claims, Measured())
    assert finding.severity is Severity.WARNING
    assert finding.message == "claimed without a signature: bleu 0.22 (a), bleu 61 (c)"


def test_signed_claims_pass():
    assert (
        list(unsigned_score.inspect(ScoreClaims((ScoreClaim("bleu", 61.0, "a", "tok:13a"),)), Measured()))
        == []
    )
