import pytest

from ledger.commands.check import inspect_output
from ledger.errors import LedgerError
from ledger.evidence import Unobserved
from ledger.evidence.scores import ScoreLimits, Scores
from ledger.findings import Verdict

JAPANESE = ["設定を保存しました。", "ファイルを開けません。", "新しいウィンドウを開きます。"] * 10
KOREAN = ["설정이 저장되었습니다.", "파일을 열 수 없습니다.", "새 창을 엽니다."] * 10


def look(output, **changes):
    given = {
        "source": None,
        "reference": None,
        "language": None,
        "markers": ("FAILED",),
        "max_rate": {},
        "score_limits": ScoreLimits(),
    }
    return inspect_output(output, **{**given, **changes})


def test_everything_given_leaves_only_limits_unset():
    report, text, scores = look(JAPANESE, source=KOREAN, reference=JAPANESE, language="ja")
    assert report.verdict is Verdict.PASS
    assert [skip.code for skip in report.skips] == ["SCO001", "SCO002"]
    assert text.lines == 30
    assert isinstance(scores, Scores)
    assert scores.bleu.value == 100


def test_no_reference_leaves_scores_unobserved():
    report, _, scores = look(JAPANESE, language="ja")
    assert scores == Unobserved("no reference was given")
    assert report.verdict is Verdict.PASS


def test_a_reference_without_a_language_is_no_pass():
    report, _, scores = look(JAPANESE, reference=JAPANESE)
    assert isinstance(scores, Unobserved)
    assert report.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(("rate", "verdict"), [(0.5, Verdict.PASS), (0.0, Verdict.FAIL)])
def test_limits_are_laid_over_the_defaults(rate, verdict):
    output = ["FAILED", *JAPANESE[1:]]
    report, _, _ = look(output, max_rate={"TXT005": rate})
    assert report.verdict is verdict


def test_score_limits_bind():
    limits = ScoreLimits(min_bleu=50, min_chrf=50)
    report, _, _ = look(JAPANESE[1:] + JAPANESE[:1], reference=JAPANESE, language="ja", score_limits=limits)
    assert {"SCO001", "SCO002"} <= {finding.code for finding in report.findings}


@pytest.mark.parametrize("name", ["source", "reference"])
def test_another_number_of_lines_is_refused_with_both_counts(name):
    with pytest.raises(LedgerError, match=f"the output has 30 lines and the {name} has 29"):
        look(JAPANESE, language="ja", **{name: KOREAN[1:]})


def test_an_output_without_lines_is_refused():
    with pytest.raises(LedgerError, match="no lines"):
        look([])
