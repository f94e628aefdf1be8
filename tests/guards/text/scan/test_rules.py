"""Which code a line gets: the failures that were seen in practice, each under its own code and no other."""

import pytest

from guards.text import GUARDS
from guards.text.scan.rules import judge, rules_for

MARKER = "FAILED_TRANSLATION_CLEANED"
RULES = rules_for(has_source=True, language="ja_XX", markers=[MARKER])
BARE = rules_for(has_source=False, language="ja", markers=[MARKER])

SEEN = [
    ("I I I I…", "버틸 수 있는 것 같아요", {"TXT001"}),
    ("I " * 100, "버틸 수 있는 것 같아요", {"TXT001"}),
    ("jajaja…", "더 가까이 가야한다면", {"TXT001"}),
    ("ja" * 60, "더 가까이 가야한다면", {"TXT001"}),
    ("If " + "close " * 100, "더 가까이 가야한다면", {"TXT001"}),
    ("♪" * 100, "너도 구해야지", {"TXT001"}),
    ("死んだ? 亡くなった? 死亡? " * 4, "사망한 거요?", {"TXT001"}),
    (". . . . .", "왜 여기 있었죠?", {"TXT002"}),
    (". " * 60, "왜 여기 있었죠?", {"TXT002"}),
    (",,,", "메탈 좋아해?", {"TXT002"}),
    ("...." + "-" * 120, "메탈 좋아해?", {"TXT002"}),
    ("?" * 120, "메탈 좋아해?", {"TXT002"}),
    ("♪", "너도 구해야지", {"TXT002"}),
    ("?I'm about to do it.", "막 하려던 참이었어요", {"TXT003", "TXT004"}),
    ("彼は of course と静かに言いました。", "그는 물론이라고 조용히 말했습니다.", {"TXT003"}),
    ("왜 여기 있었죠?", "왜 여기 있었죠?", {"TXT004"}),
    ("你为什么在这里而不是在家里", "왜 집이 아니라 여기 있었죠?", {"TXT004", "TXT011"}),
    (MARKER, "진실 서약을 했으니 지켜야 합니다", {"TXT005"}),
    ("", "좋아해?", {"TXT006"}),
    ("\u200b \u3000\ufeff", "좋아해?", {"TXT006"}),
    ("はい", "저기 있죠, 저도... 저도 당신 같았어요", {"TXT007"}),
]

GOOD = [
    ("それはそうだった。", "막 하려던 참이었어요"),
    ("なぜここにいる?", "왜 여기 있었죠?"),
    ("メタル?", "메탈 좋아해?"),
    ("私の願いは...", "제가 바라는 건..."),
    ("依頼をします。", "의뢰를 수행하게"),
    ("あ、僕も... 僕も君と同じ。", "저기 있죠, 저도... 저도 당신 같았어요"),
    ("ははははは", "하하하하하"),
    ("LibreOffice Writer を使用", "LibreOffice Writer 사용"),
    ("PDF", "PDF"),
    ("...", "..."),
    ("♪♪♪♪", "♪♪♪♪"),
    ("----------", "----------"),
    ("10000 円", "10000엔"),
    ("はい、そうです", "예"),
    ("", ""),
    ("東京都千代田区", "도쿄도 지요다구"),
]


@pytest.mark.parametrize(("output", "source", "codes"), SEEN)
def test_a_bad_line_gets_its_own_codes(output: str, source: str, codes: set[str]) -> None:
    assert set(judge(output, source, RULES)) == codes


@pytest.mark.parametrize(("output", "source"), GOOD)
def test_a_good_line_gets_none(output: str, source: str) -> None:
    assert judge(output, source, RULES) == ()


@pytest.mark.parametrize(("output", "source", "codes"), SEEN)
def test_without_a_source_the_rest_still_holds(output: str, source: str, codes: set[str]) -> None:
    assert set(judge(output, None, BARE)) == codes - {"TXT003", "TXT007"}


@pytest.mark.parametrize(
    ("language", "output", "codes"),
    [
        ("ko_KR", "왜 여기 있었죠?", set()),
        ("kor_Hang", "なぜここにいる?", {"TXT003", "TXT004"}),
        ("ko", "그는 of 라고 말했다", {"TXT003"}),
        ("zh_CN", "你为什么在这里", set()),
        ("zho_Hans", "なぜここにいるのですか", {"TXT003", "TXT004"}),
        ("ru_RU", "Почему ты здесь?", set()),
        ("rus_Cyrl", "Why are you here?", {"TXT003", "TXT004"}),
        ("en_XX", "Why are you here?", set()),
        ("eng_Latn", "なぜここにいる?", {"TXT003", "TXT004"}),
        ("vi_VN", "Tại sao bạn ở đây?", set()),
        ("th", "ทำไมคุณถึงมาที่นี่", set()),
        ("ar_AR", "لماذا أنت هنا؟", set()),
        ("hi_IN", "तुम यहाँ क्यों हो?", set()),
    ],
)
def test_other_languages_have_their_own_script(language: str, output: str, codes: set[str]) -> None:
    rules = rules_for(has_source=True, language=language, markers=[])
    assert set(judge(output, "왜 여기 있었죠, 당신은?", rules)) == codes


@pytest.mark.parametrize(
    ("known", "unseen"),
    [
        (
            {"has_source": True, "language": None},
            {"TXT003": "language was not", "TXT004": "language was not"},
        ),
        (
            {"has_source": True, "language": "tlh"},
            {"TXT003": "'tlh' is unknown", "TXT004": "'tlh' is unknown"},
        ),
        ({"has_source": False, "language": "ja"}, {"TXT003": "no source text", "TXT007": "no source text"}),
    ],
)
def test_a_rule_that_does_not_apply_has_a_reason(known: dict[str, object], unseen: dict[str, str]) -> None:
    rules = rules_for(**known, markers=[])  # type: ignore[arg-type]
    assert rules.unseen["TXT005"] == "no failure marker is set"
    assert rules.by_code.keys().isdisjoint(rules.unseen)
    assert {*rules.by_code, *rules.across, *rules.unseen} == {guard.CODE for guard in GUARDS}
    for code, reason in unseen.items():
        assert reason in rules.unseen[code]


def test_a_copied_sentence_is_off_target_in_latin_letters_too() -> None:
    rules = rules_for(has_source=True, language="ja", markers=[])
    line = "Enter a new name for the sheet and click OK."
    assert judge(line, line, rules) == ("TXT004", "TXT008")
    assert judge("LibreOffice Writer", "LibreOffice Writer", rules) == ()
