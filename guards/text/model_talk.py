"""TXT014: lines in which a language model talks about its task instead of translating."""

import re

from guards.guard import Explanation
from guards.text import flag_rate

CODE = "TXT014"
TITLE = "Refusal or comment"
READS = flag_rate.READS
EXPLANATION = Explanation(
    means="A line holds a phrase with which language models refuse or introduce a translation (I cannot "
    "translate, here is the translation, 以下が翻訳です), and its source has no such phrase. The phrases "
    "are those of the more common languages; a refusal in another one is found by TXT012 once it repeats.",
    matters="The line is an answer about the translation. As training data it teaches a model to refuse; in "
    "a score it counts as a bad translation of a good source.",
    do="Ask for the translation alone, parse the answer, and translate the refused lines with another "
    "prompt or model.",
)

# Lower-case pieces of phrases; each is searched in the whole text, which is cheaper than a pattern for all.
PHRASES = (
    "as an ai language model",
    "as an ai model",
    "i cannot assist with",
    "i can't assist with",
    "i cannot translate",
    "i can't translate",
    "i'm unable to translate",
    "here is the translation",
    "here's the translation",
    "here is your translation",
    "the translation is:",
    "the translated text is",
    "translated text:",
    "翻訳できません",
    "翻訳することができません",
    "翻訳することはできません",
    "翻訳は以下の",
    "以下が翻訳",
    "以下は翻訳",
    "以下に翻訳",
    "翻訳結果：",
    "翻訳結果は",
    "번역할 수 없습니다",
    "번역해 드릴 수 없",
    "다음은 번역",
    "번역 결과:",
    "번역은 다음과",
    "我无法翻译",
    "无法翻译这",
    "以下是翻译",
    "翻译如下",
    "翻译结果：",
    "我無法翻譯",
    "以下是翻譯",
    "翻譯如下",
    "kann ich nicht übersetzen",
    "hier ist die übersetzung",
    "je ne peux pas traduire",
    "voici la traduction",
    "no puedo traducir",
    "aquí está la traducción",
    "aquí tienes la traducción",
    "não posso traduzir",
    "aqui está a tradução",
    "non posso tradurre",
    "ecco la traduzione",
    "не могу перевести",
    "вот перевод",
    "не можу перекласти",
    "ось переклад",
    "لا أستطيع ترجمة",
    "إليك الترجمة",
    "मैं अनुवाद नहीं कर",
    "यहाँ अनुवाद है",
)
# Every phrase holds one of these, so that few lines are searched for all phrases.
ROOTS = (
    "as an ai ", "assist with", "translat", "翻訳", "번역", "翻译", "翻譯", "übersetz", "tradu", "перев",
    "перекл", "ترجم", "अनुवाद",
)  # fmt: skip
ABOUT_TASK = re.compile(
    r"transl|traduc|tradu[çz]|übersetz|翻[訳译譯]|번역|перевод|перекла|ترجم|अनुवाद", re.IGNORECASE
)


def is_flagged(output: str, source: str | None) -> bool:
    """Whether the line holds a phrase, and its source is not about translation itself."""
    lower = output.lower()
    return (
        may_be_flagged(lower)
        and any(phrase in lower for phrase in PHRASES)
        and not ABOUT_TASK.search(source or "")
    )


def may_be_flagged(lower: str) -> bool:
    """Whether text in lower case, of one line or of many, holds a root of some phrase."""
    return any(root in lower for root in ROOTS)


def sample_priority(output: str, source: str | None) -> int:  # noqa: ARG001 - one signature for all text rules
    """How useful a line is as a sample: the longest is best."""
    return len(output)


inspect = flag_rate.inspection(CODE, "hold a refusal or a comment instead of a translation")
