import pytest

from ledger.evaluation.agreement import agreement


@pytest.mark.parametrize(
    ("name", "points", "signature", "share"),
    [
        ("BLEU", 1.0, "BLEU|…", 0.63989),  # as `mt-thresholds bleu 1.00` prints
        ("BLEU", -1.0, "BLEU|…", 0.63989),
        ("BLEU", 0.0, "BLEU|…", 0.44167),
        ("COMET", 1.0, "COMET|model:Unbabel/wmt22-comet-da|…", 0.90892),
        ("COMET", 1.0, "COMET|model:Unbabel/XCOMET-XL|…", None),
        ("chrF2++", 1.0, "chrF2++|…", None),
    ],
)
def test_the_share_of_the_study(name, points, signature, share):
    found = agreement(name, points, signature)
    assert found == (share if share is None else pytest.approx(share, abs=1e-4))
