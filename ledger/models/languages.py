"""The language that a code names, however a model family writes it.

`ko`, `ko_KR` (mBART), `kor_Hang` (NLLB), `__ko__` (M2M100), `>>kor<<` (Marian), `<2ko>` (MADLAD) and `ko-KR`
(BCP 47) are all Korean. Names and scripts are those of CLDR, which Babel carries.
"""

import re
from functools import cache

# What CLDR's aliases lack: members of a macrolanguage that NLLB names, and codes of tokenizers' own.
_MORE_ALIASES = {"pbt": "ps", "pbu": "ps", "quy": "qu", "quz": "qu", "ns": "nso", "tgl": "tl", "fil": "tl"}
_MISTAKEN = {"jap"}  # Jaruára, which nobody means who translates Japanese
_WITHDRAWN = {"iw": "he", "in": "id", "ji": "yi", "jw": "jv", "sh": "sr", "mo": "ro"}

# ISO 639-5, and the names of groups among the opus-mt models.
_GROUPS = """
    aav afa alg alv apa aqa aql art ath auf aus awd azc bad bai bat ber bih bnt btk cai cau cba ccn ccs
    cdc cdd cel cmc cpe cpf cpp crp csu cus day dmn dra egx esx euq fiu fox gem gme gmq gmw grk him hmx
    hok hyx iir ijo inc ine ira iro itc jpx kar kdo khi khr kro map mkh mno mun myn nah nai ngf nic nub
    omq omv oto paa phi plf poz pqe pqw pra qwe roa sai sal sdv sem sgn sio sit sla smi son sqj ssa syd
    tai tbq trk tup tut tuw urj wak wen xgn xnd ypk zhx zle zls zlw znd mul romance north_eu celtic
    scandinavia norway sami western
"""

# The scripts in which a language is written today, besides the one that CLDR calls likely.
_MORE_SCRIPTS = {
    "Latn": "sr kk crh tt ky tg mn ku ckb zgh tzm kab iu cr chr sat az uz tk bs ff bm",
    "Cyrl": "uz az crh tk bs ro ku",
    "Arab": "kk az uz ku pa ms ha ky tg tk ug ace bjn min knc kr bal",
    "Deva": "sd ks sat kok",
    "Hebr": "lad yi",
    "Beng": "mni sat",
    "Mtei": "mni",
    "Mong": "mn",
    "Tfng": "kab taq",
    "Adlm": "ff",
    "Nkoo": "bm dyu",
    "Guru": "sd",
    "Hans": "yue lzh",
    "Hant": "zh lzh",
}


def language_of(code: str) -> str:
    """The language that `code` names: two letters where ISO 639-1 has them, else its first subtag.

    >>> language_of("jpn_Jpan"), language_of("ja_XX"), language_of(">>jpn<<"), language_of("yue_Hant")
    ('ja', 'ja', 'ja', 'yue')
    """
    subtags = _subtags(code)
    if len(subtags) > 1 and re.fullmatch("[a-z]{2}", subtags[0]) and re.fullmatch("[a-z]{3}", subtags[1]):
        return language_of(subtags[1]) if _is_known(subtags[1]) else _shortest(subtags[0])  # zh-yue
    return _shortest(subtags[0])


def names_of(code: str | None) -> tuple[str, ...]:
    """A language as it was written, then its ISO 639 codes: what a tokenizer's own code begins with.

    With the script at the end, where the code names it or the country decides it.

    >>> names_of("ja"), names_of("yue"), names_of("zh_TW"), names_of(None)
    (('ja', 'ja', 'jpn'), ('yue', 'yue'), ('zh_TW', 'zh', 'chi', 'cmn', 'zho', 'zh_Hant'), ())
    """
    if code is None:
        return ()
    language, scripts = language_of(code), scripts_of(code)
    longer = (other for other in {*_aliases(), *_MORE_ALIASES} if len(other) == 3 and other != language)
    named = [f"{language}_{scripts[0]}"] if len(scripts) == 1 and len(_subtags(code)) > 1 else []
    return (code, language, *sorted(other for other in longer if _shortest(other) == language), *named)


def english_name(code: str) -> str:
    """The language's name in English, as prefixes of T5 have it; the code where CLDR has no name.

    >>> english_name("deu_Latn")
    'German'
    """
    from babel import Locale

    return str(Locale("en").languages.get(language_of(code), code))


def is_language(code: str) -> bool:
    """Whether the code names a language or a group of languages that CLDR or ISO 639-5 knows."""
    return _is_known(language_of(code)) or is_group(code)


def is_group(code: str) -> bool:
    """Whether the code names a group of languages, such as opus-mt's `zle`, `mul` and `ROMANCE`.

    >>> is_group("zle"), is_group("ROMANCE"), is_group("uk")
    (True, True, False)
    """
    subtags = _subtags(code)
    return bool({"_".join(subtags), subtags[0]} & {*_GROUPS.split()})


def scripts_of(code: str) -> tuple[str, ...]:
    """The scripts (ISO 15924) that text in the language may be in, the likeliest first.

    A script in the code is the only one. Empty for a group, and for a language that CLDR does not know.

    >>> scripts_of("zh-TW"), scripts_of("sr"), scripts_of("srp_Latn"), scripts_of("zle")
    (('Hant',), ('Cyrl', 'Latn'), ('Latn',), ())
    """
    subtags = _subtags(code)
    named = next((part.title() for part in subtags[1:] if re.fullmatch("[a-z]{4}", part)), None)
    if named:
        # NLLB's own code of Santali is sat_Beng, but its text is in Ol Chiki.
        return ("Beng", "Olck") if (language_of(code), named) == ("sat", "Beng") else (named,)
    language = language_of(code)
    region = next((part.upper() for part in subtags[1:] if re.fullmatch("[a-z]{2}|[0-9]{3}", part)), "")
    # zh_TW is written in another script than zh; XX in ja_XX is not a country, so ja is looked up.
    if (language, region) in {("zh", "CN"), ("zh", "SG")}:
        return ("Hans",)
    if found := _likely_script(f"{language}_{region}"):
        return (found,)
    first = _likely_script(language)
    if not first or is_group(code):
        return ()
    more = [script for script, languages in _MORE_SCRIPTS.items() if language in languages.split()]
    return (first, *(script for script in more if script != first))


def _subtags(code: str) -> list[str]:
    """The parts of a code in lower case: at least one, which may be empty. POSIX writes sr@latin."""
    plain = (
        code.strip("_<> ").lower().removeprefix("2").replace("@latin", "_latn").replace("@cyrillic", "_cyrl")
    )
    return re.split(r"[-_@]", plain)


def _shortest(language: str) -> str:
    if language in _MORE_ALIASES:
        return _MORE_ALIASES[language]
    if len(language) == 3:  # two letters are kept: CLDR would write tl as fil
        return _aliases().get(language, language).split("_")[0]
    return _WITHDRAWN.get(language, language)


def _is_known(language: str) -> bool:
    return language not in {"", *_MISTAKEN} and (language in _names() or _likely_script(language) != "")


def _likely_script(tag: str) -> str:
    from babel.core import get_global

    full = get_global("likely_subtags").get(tag, "")
    return next((part for part in full.split("_") if len(part) == 4), "")


@cache
def _aliases() -> dict[str, str]:
    from babel.core import get_global

    return {**get_global("language_aliases")}


@cache
def _names() -> frozenset[str]:
    from babel import Locale

    return frozenset(Locale("en").languages)
