"""Human translations that earlier rules flagged: subtitles, placeholders, loan names, every script."""

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from guards.text import repetition
from guards.text.measures.scripts import script_of
from guards.text.measures.transliteration import transliterates
from guards.text.scan.rules import judge, rules_for
from ledger.models.languages import scripts_of
from tests.ledger.models.test_languages import NLLB

SUBTITLES = [
    ("wwwwww", "ㅋㅋㅋㅋㅋㅋ"),
    ("ハハハハハハ", "하하하하하하"),
    ("♪ ラララ ♪", "♪ 라라라 ♪"),
    ("……", "..."),
    ("はい、はい、はい、はい。", "네, 네, 네, 네."),
    ("ああああああっ！", "아아아아아악!"),
    ("https://example.org/a/b?c=d", "https://example.org/a/b?c=d"),
    ("K-POPが好き", "케이팝 좋아해"),
    ("（笑）", "(웃음)"),
    ("YouTube見た？", "유튜브 봤어?"),
    ("ママ ママ ママ ママ", "엄마 엄마 엄마 엄마"),
    ("ドンドンドンドン", "쾅쾅쾅쾅"),
    ("iPhone買った", "아이폰 샀어"),
    ("おい！！！！！！！！！！", "야!!!!!!!!!!"),
    ("なんで？？？？？？？？", "왜????????"),
    ("えっと……………それが", "음..........그게"),
]
SOFTWARE = [
    ("ko", "%(model)s 추가", "Add another %(model)s"),
    ("zh_CN", "查看 <a href='https://docs.example.org/%(version)s/'>说明</a>", None),
    ("ru", "%(class_name)s.allow_future равно False.", "%(class_name)s.allow_future is False."),
    ("hi", "%(ct_name)s की get_absolute_url() विधि नहीं है", "%(ct_name)s has no get_absolute_url()"),
    ("he", "דוגמה: flatpages/contact_page.html", "Example: flatpages/contact_page.html"),
    ("ja", "{username} が {site_title} に参加", "{username} joined {site_title}"),
    ("th", "ส่งไปที่ user@example.org", "Sent to user@example.org"),
]
SCRIPTS = [
    ("sr", "Mačka je pored jezera i danas pada kiša."),
    ("srp_Cyrl", "Мачка је поред језера и данас пада киша."),
    ("kk", "Avtomatty tárjime osy jobada qoldanysta"),
    ("kk", "Мысық көлдің жанында."),
    ("uz", "Мушук кўл ёнида ётибди."),
    ("uzn_Latn", "Mushuk ko‘l yonida."),
    ("sat_Beng", "ᱯᱩᱥᱤ ᱢᱮᱱᱟᱭᱟ"),
    ("tzm_Tfng", "ⴰⵎⵓⵛⵛ ⵉⵍⵍⴰ"),
    ("km", "ឆ្មានៅជិតបឹង។"),
    ("my", "ကြောင်သည် ရေကန်အနီးတွင် ရှိသည်။"),
    ("bo", "བྱི་ལ་མཚོའི་འགྲམ་དུ་ཡོད།"),
    ("am", "ድመቷ ሐይቁ አጠገብ ናት።"),
    ("hy", "Կատուն լճի մոտ է:"),
]


@pytest.mark.parametrize(("output", "source"), SUBTITLES)
def test_subtitles_are_not_flagged(output, source):
    assert judge(output, source, rules_for(has_source=True, language="ja", markers=[])) == ()


@pytest.mark.parametrize(("language", "output", "source"), SOFTWARE)
def test_code_is_not_foreign(language, output, source):
    rules = rules_for(has_source=source is not None, language=language, markers=[])
    assert judge(output, source, rules) == ()


@pytest.mark.parametrize(("language", "output"), SCRIPTS)
def test_a_language_may_be_in_each_of_its_scripts(language, output):
    rules = rules_for(has_source=False, language=language, markers=[], outputs=[output])
    assert judge(output, None, rules) == ()


@pytest.mark.parametrize("code", [code for code in NLLB.split() if not code.endswith("_Latn")])
def test_english_is_off_target_for_every_code_in_another_script(code):
    rules = rules_for(has_source=False, language=code, markers=[])
    assert judge("The cat is near the lake.", None, rules) == ("TXT004",)


@pytest.mark.parametrize("language", ["ta", "ka", "ml", "hi", "th", "my", "km", "am", "ru", "ja", "ko", "de"])
def test_names_in_any_script_compress_alike(language):
    """In UTF-8 bytes, lists of different Tamil names exceed the threshold without repeating anything."""
    names = [*Locale(language).territories.values()]
    for start in range(0, 200, 5):
        assert not repetition.shrinks(" ".join(names[start : start + 5]))


@pytest.mark.parametrize(
    ("output", "source"),
    [
        ("ハ" * 200, "하하하"),
        ("はい、" * 40, "네, 네, 네."),
        ("The The The The The The", "그는 왔다"),
        ("ああああああああああああああああああああああああ", "아아"),
    ],
)
def test_a_loop_far_beyond_the_sources_is_flagged(output, source):
    assert repetition.is_flagged(output, source)


@pytest.mark.parametrize(
    ("name", "source", "same"),
    [
        ("YouTube", "유튜브 봤어?", True),
        ("Google", "구글에서 찾아", True),
        ("Instagram", "인스타그램에", True),
        ("Facebook", "フェイスブックで見た", True),
        ("London", "Мы едем в Лондон", True),
        ("The", "그는 왔다", False),
        ("Please", "설정을 저장했습니다", False),
        ("Window", "창을 닫으세요", False),
        ("I", "아이", False),
    ],
)
def test_a_name_is_compared_by_its_consonants(name, source, same):
    assert transliterates(name, source) is same


@given(st.text(max_size=20), st.text(max_size=40))
def test_any_text_can_be_compared(name, source):
    assert transliterates(name, source) in {True, False}


def test_an_unknown_script_is_none():
    assert [script_of(code) for code in ("zle", "tlh", None, "")] == [None] * 4
    assert scripts_of("zle") == ()
