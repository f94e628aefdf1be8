import pytest

from guards.preflight import unknown_language_codes
from guards.preflight.nearest_codes import nearest_codes
from ledger.evidence.preflight import CodeProbe, LanguageCodes, TokenizerProbe
from ledger.findings import Severity, Skip

MBART50 = ("ar_AR", "cs_CZ", "de_DE", "en_XX", "hr_HR", "ja_XX", "ko_KR", "zh_CN")
NLLB = ("eng_Latn", "jav_Latn", "jpn_Jpan", "kon_Latn", "kor_Hang", "zho_Hans", "zho_Hant")
M2M100 = ("en", "ja", "jv", "ko", "zh")


@pytest.mark.parametrize(
    ("code", "known", "nearest"),
    [
        ("ko", MBART50, ("ko_KR",)),
        ("ja", MBART50, ("ja_XX",)),
        ("ja_JP", MBART50, ("ja_XX",)),
        ("jpn_Jpan", MBART50, ("ja_XX",)),
        ("KO_kr", MBART50, ("ko_KR",)),
        ("kr_KR", MBART50, ("ko_KR",)),
        ("ko", NLLB, ("kor_Hang",)),
        ("ko_KR", NLLB, ("kor_Hang",)),
        ("zh", NLLB, ("zho_Hans", "zho_Hant")),
        ("jpn_Japn", NLLB, ("jpn_Jpan",)),
        ("ja_XX", M2M100, ("ja",)),
        ("jp", M2M100, ("ja",)),
        ("jq", M2M100, ()),
        ("jpn", (">>jpn<<", ">>kor<<"), (">>jpn<<",)),
        ("zz9", M2M100, ()),
        ("ko", (), ()),
    ],
)
def test_nearest_codes(code, known, nearest):
    assert nearest_codes(code, known) == nearest


def probe(code, *, known, token_id=3, is_unk=False, round_trips=None):
    return CodeProbe(code, known=known, token_id=token_id, is_unk=is_unk, round_trips=round_trips)


def look(source, target, tokenizer="MBart50TokenizerFast", known=MBART50):
    expected = LanguageCodes(source and source.code, target and target.code)
    codes = {role: p for role, p in (("source", source), ("target", target)) if p}
    return list(unknown_language_codes.inspect(expected, TokenizerProbe(tokenizer, known, codes)))


GOOD = probe("ja_XX", known=True, token_id=250012, round_trips=True)


def test_known_codes_pass():
    assert look(probe("ko_KR", known=True, token_id=250014), GOOD) == []


def test_the_logs_codes_on_mbart50_are_both_refused():
    found = look(probe("ko", known=False, is_unk=True), probe("ja", known=False, token_id=1264))
    assert [f.severity for f in found] == [Severity.ERROR] * 2
    assert found[0].message == (
        "the source code ko is not one of the language codes of MBart50TokenizerFast (use ko_KR); "
        "the library would treat it as the unknown token (id 3) and mark the source with it "
        "without an error (its slow version raises a bare KeyError)"
    )
    assert found[1].message == (
        "the target code ja is not one of the language codes of MBart50TokenizerFast (use ja_XX); "
        "the library would treat it as ordinary text (id 1264) and start the output with it "
        "without an error: the model would then choose the language itself"
    )
    assert found[1].threshold == ["ja_XX"]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (probe("ja_XX", known=True, is_unk=True), "listed but the unknown token"),
        (probe("ja_XX", known=True, round_trips=False), "does not survive encoding and decoding"),
    ],
)
def test_a_listed_code_that_does_not_work_is_refused(bad, words):
    (finding,) = look(None, bad)
    assert words in finding.message


def test_m2m100_would_raise():
    (finding,) = look(
        None, probe("ja_XX", known=False, is_unk=True), tokenizer="M2M100Tokenizer", known=M2M100
    )
    assert "(use ja)" in finding.message
    assert "KeyError" in finding.message


def test_a_tokenizer_without_codes_is_reported():
    (finding,) = look(None, probe("ja", known=False), tokenizer="T5TokenizerFast", known=())
    assert "of T5TokenizerFast, which has none" in finding.message


def test_no_codes_in_the_spec_is_a_skip():
    assert [type(result) for result in look(None, None)] == [Skip]


def test_a_code_that_was_not_asked_for_is_no_pass():
    expected = LanguageCodes("ko_KR", None)
    (skip,) = unknown_language_codes.inspect(expected, TokenizerProbe("MBart50Tokenizer", MBART50, {}))
    assert skip.required


def test_what_the_family_tells_in_words_needs_no_code():
    probe = TokenizerProbe("T5TokenizerFast", (), {}, uncoded=("source", "target"))
    skips = list(unknown_language_codes.inspect(LanguageCodes("Korean", "Japanese"), probe))
    assert [skip.required for skip in skips] == [False, False]
