import pytest

from ledger.models.languages import language_of


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("ko", "ko"),
        ("ko_KR", "ko"),
        ("ko-KR", "ko"),
        ("kor_Hang", "ko"),
        (">>kor<<", "ko"),
        ("__ko__", "ko"),
        ("jpn_Jpan", "ja"),
        ("JA", "ja"),
        ("cmn_Hans", "zh"),
        ("zho_Hant", "zh"),
        ("yue_Hant", "yue"),
        ("jav_Latn", "jav"),
        ("", ""),
    ],
)
def test_every_spelling_names_one_language(code, language):
    assert language_of(code) == language


def test_every_mbart50_code_keeps_its_own_language():
    """Two-letter codes are never rewritten."""
    for code in ("ar_AR", "et_EE", "lv_LV", "ne_NP", "fa_IR", "ps_AF", "sw_KE", "tl_XX", "xh_ZA"):
        assert language_of(code) == code[:2]
