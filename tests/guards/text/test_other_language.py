"""TXT011: another language of the same script, in human text of packages and in made files."""

import random

import pytest

from guards.text import other_language
from guards.text.limits import DEFAULT_MAX_RATE
from guards.text.measures.chunk import Chunk
from guards.text.measures.han import strange_to
from guards.text.measures.language_id import LANGUAGES, _model, choice_for
from guards.text.measures.scripts import script_of
from guards.text.scan import scan_lines
from ledger.evidence.text import TextLimits

SENTENCES = {
    "de": "Der Zug nach Hamburg hat heute leider eine Verspätung von zwanzig Minuten.",
    "fr": "Le train pour Lyon a malheureusement vingt minutes de retard aujourd'hui.",
    "en": "The train to London is unfortunately twenty minutes late today.",
    "es": "El tren para Sevilla lleva hoy por desgracia veinte minutos de retraso.",
    "ru": "Сегодня поезд опоздал на двадцать минут, и мы долго ждали на вокзале.",
    "uk": "Сьогодні потяг запізнився на двадцять хвилин, і ми довго чекали на вокзалі.",
    "bg": "Днес влакът закъсня с двадесет минути и ние дълго чакахме на гарата.",
    "ar": "تأخر القطار اليوم عشرين دقيقة وانتظرنا طويلا في المحطة.",
    "fa": "امروز قطار بیست دقیقه تأخیر داشت و ما مدت زیادی در ایستگاه منتظر ماندیم.",
    "ur": "آج ٹرین بیس منٹ تاخیر سے آئی اور ہم نے اسٹیشن پر کافی دیر انتظار کیا۔",
    "hi": "आज रेलगाड़ी बीस मिनट देर से आई और हमने स्टेशन पर बहुत देर तक इंतज़ार किया।",
    "zh_Hans": "今天火车晚点了二十分钟，我们在车站等了很久。",
    "zh_Hant": "今天火車晚點了二十分鐘，我們在車站等了很久。",
    "ja": "今日は電車が二十分遅れたので、駅で長い間待ちました。",
}
CODES = {"de": "deu_Latn", "uk": "uk_UA", "fa": "pes_Arab", "ar": "ar_AR"}
PAIRS = [
    (one, other) for one in SENTENCES for other in SENTENCES if script_of(one).name == script_of(other).name
]


def flagged(outputs, language, sources=None):
    found = scan_lines(Chunk(outputs, sources), language=language, markers=[], processes=1)
    return [*found.lines["TXT011"]]


@pytest.mark.parametrize(("target", "language"), PAIRS)
def test_a_language_is_told_from_the_others_of_its_script(target, language):
    assert flagged([SENTENCES[language]], CODES.get(target, target)) == ([0] if target != language else [])


@pytest.mark.parametrize(
    ("target", "language", "lines"),
    [
        ("zh_TW", "zh_Hans", [0]),
        ("zho_Hans", "zh_Hant", [0]),
        ("zh_CN", "zh_Hant", [0]),
        ("zh", "zh_Hant", []),
        ("zh", "zh_Hans", []),
        ("ja", "zh_Hans", [0]),
        ("zh_Hant", "zh_Hant", []),
        ("zh_Hans", "zh_Hans", []),
        ("ja", "ja", []),
    ],
)
def test_chinese_and_japanese_are_told_by_their_characters(target, language, lines):
    assert flagged([SENTENCES[language]], target) == lines


def test_a_simplified_character_of_the_source_may_be_copied():
    assert flagged(["转さんは駅で待ちました。"], "ja", ["转 waited"]) == []
    assert strange_to("Hang") == ""


@pytest.mark.parametrize(
    "line",
    [
        "Le train.",
        "Müller, Schmidt & Söhne",
        "https://example.org/le/train/pour/lyon",
        "VLC",
    ],
)
def test_short_lines_names_and_code_are_not_judged(line):
    assert flagged([line], "de") == []


def test_a_copied_line_is_left_to_another_guard():
    assert flagged([SENTENCES["en"]], "de", [SENTENCES["en"]]) == []


@pytest.mark.parametrize("language", ["kk_Latn", "be_Latn", "dsb", "ka", None])
def test_what_cannot_be_told_is_skipped(language):
    scanned = scan_lines(Chunk(["Aqtas"], None), language=language, markers=[])
    assert "TXT011" not in scanned.lines
    assert scanned.evidence.unseen["TXT011"]


def test_the_rate_of_a_long_file_is_that_of_a_sample(monkeypatch):
    monkeypatch.setattr(other_language, "SAMPLED_LINES", 200)
    dice = random.Random(1)
    outputs = [SENTENCES["fr" if dice.random() < 0.2 else "de"] for _ in range(1000)]
    scanned = scan_lines(Chunk(outputs, None), language="de", markers=[], processes=1)
    found = scanned.evidence.flagged["TXT011"]
    assert found.judged == 200
    assert 0.1 < scanned.evidence.rates["TXT011"] < 0.3
    (finding,) = other_language.inspect(TextLimits(DEFAULT_MAX_RATE), scanned.evidence)
    assert "of 200 randomly drawn lines" in finding.message
    assert "95% interval" in finding.message


def test_the_languages_are_those_of_the_model():
    assert {*_model().nb_classes} >= LANGUAGES
    assert choice_for("nb", script_of("nb")).language == "no"
