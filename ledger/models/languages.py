"""The language that a code names, however a model family writes it.

`ko`, `ko_KR` (mBART), `kor_Hang` (NLLB), `__ko__` (M2M100), `>>kor<<` (Marian) and `ko-KR` are all Korean.
"""

import re

# ISO 639-3 (and its macrolanguage member where NLLB uses one) to ISO 639-1, for mBART-50's languages.
_PAIRS = """
    afr:af ara:ar arb:ar aze:az azj:az ben:bn ces:cs cmn:zh deu:de ekk:et eng:en est:et fas:fa fin:fi fra:fr
    glg:gl guj:gu heb:he hin:hi hrv:hr ind:id ita:it jpn:ja kat:ka kaz:kk khk:mn khm:km kor:ko lav:lv lit:lt
    lvs:lv mal:ml mar:mr mkd:mk mon:mn mya:my nep:ne nld:nl npi:ne pbt:ps pbu:ps pes:fa pol:pl por:pt pus:ps
    ron:ro rus:ru sin:si slv:sl spa:es swa:sw swe:sv swh:sw tam:ta tel:te tgl:tl tha:th tur:tr ukr:uk urd:ur
    vie:vi xho:xh zho:zh
"""
_TWO_LETTERS = dict(pair.split(":") for pair in _PAIRS.split())


def language_of(code: str) -> str:
    """The language that `code` names: two letters where ISO 639-1 has them, else its first subtag.

    >>> language_of("jpn_Jpan"), language_of("ja_XX"), language_of(">>jpn<<"), language_of("yue_Hant")
    ('ja', 'ja', 'ja', 'yue')
    """
    first = re.split(r"[-_]", code.strip("_<> ").lower())[0]
    return _TWO_LETTERS.get(first, first)


def spellings_of(code: str) -> tuple[str, ...]:
    """The ISO 639 codes of a language, of two and of three letters: what a tokenizer's own code begins with.

    >>> spellings_of("ja"), spellings_of("zh_CN"), spellings_of("yue")
    (('ja', 'jpn'), ('zh', 'cmn', 'zho'), ('yue',))
    """
    language = language_of(code)
    return (language, *(three for three, two in _TWO_LETTERS.items() if two == language))
