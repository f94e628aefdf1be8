"""Writing systems: the one that a language is written in, and the letters that belong to it.

A script is a set of Unicode ranges. Every letter outside of them (see `str.isalpha`) is foreign to it.
"""

import re
from dataclasses import dataclass

# Ranges for a character class, as escapes: pasted characters may be normalized into others on the way.
LATIN = r"A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff"
FULLWIDTH_LATIN = r"\uff21-\uff3a\uff41-\uff5a"
HAN = r"\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
KANA = r"\u3031-\u3035\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"
HANGUL = r"\u1100-\u11ff\u3131-\u318e\ua960-\ua97c\uac00-\ud7a3\ud7b0-\ud7fb\uffa0-\uffdc"

LATIN_LETTER = re.compile(f"[{LATIN}]")

# By ISO 15924 code. Full-width Latin letters belong to Japanese and Chinese typography.
# Chinese characters are rare in Korean text and count as foreign to it.
LETTERS = {
    "Latn": LATIN,
    "Jpan": KANA + HAN + FULLWIDTH_LATIN,
    "Kore": HANGUL,
    "Hang": HANGUL,
    "Hans": HAN + FULLWIDTH_LATIN,
    "Hant": HAN + FULLWIDTH_LATIN,
    "Cyrl": r"\u0400-\u052f\u1c80-\u1c8f\u2de0-\u2dff\ua640-\ua69f",
    "Grek": r"\u0370-\u03ff\u1f00-\u1fff",
    "Arab": r"\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufeff",
    "Hebr": r"\u0590-\u05ff\ufb1d-\ufb4f",
    "Deva": r"\u0900-\u097f\ua8e0-\ua8ff",
    "Thai": r"\u0e00-\u0e7f",
}


@dataclass(frozen=True, slots=True)
class Script:
    """A writing system. `name` is its ISO 15924 code.

    `letter` matches one character of it, `foreign` one letter of any other (and some numerals).
    """

    name: str
    letter: re.Pattern[str]
    foreign: re.Pattern[str]

    @property
    def is_latin(self) -> bool:
        """Whether it is the Latin script."""
        return self.name == "Latn"

    @property
    def needs_kana(self) -> bool:
        """Whether ten letters without a single kana are suspicious: only Japanese mixes Han with kana."""
        return self.name == "Jpan"


def script_of(language: str | None) -> Script | None:
    """The script that a language is written in; None if it is unknown or not in LETTERS.

    Accepts the codes of every tokenizer: `ja`, `ja_XX`, `jpn_Jpan`, `zh-TW`. A script in the code takes
    precedence; otherwise it comes from CLDR's likely subtags.
    """
    subtags = [part for part in re.split(r"[-_]", language or "") if part]
    named = next((part for part in subtags[1:] if part.title() in LETTERS), None)
    name = named.title() if named else _likely_script(subtags)
    if name not in LETTERS:
        return None
    letters = LETTERS[name]
    return Script(name, re.compile(f"[{letters}]"), re.compile(rf"[^\W\d_{letters}]"))


def _likely_script(subtags: list[str]) -> str:
    if not subtags:
        return ""
    from babel.core import get_global

    code = subtags[0].lower()
    code = get_global("language_aliases").get(code, code)
    likely = get_global("likely_subtags")
    # zh_TW is written in another script than zh; XX in ja_XX is not a country, so ja is looked up.
    full = likely.get("_".join([code, *subtags[1:2]]).replace("-", "_")) or likely.get(code, "")
    return next((part for part in full.split("_") if len(part) == 4), "")
