"""Writing systems: those that a language is written in, and the letters that belong to each.

A script is a set of letters and marks. Every other letter (see `str.isalpha`) is foreign to it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from guards.text.measures.han import strange_to
from ledger.models.languages import scripts_of

# Ranges for a character class, as escapes: pasted characters may be normalized into others on the way.
LATIN = r"A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff"
LATIN_LETTER = re.compile(f"[{LATIN}]")

# Writing systems of several scripts (ISO 15924). Full-width Latin letters belong to Japanese and Chinese
# typography. Chinese characters are rare in Korean text and count as foreign to it.
PARTS = {
    "Jpan": (r"\p{scx=Hira}", r"\p{scx=Kana}", r"\p{scx=Hani}", r"\uff21-\uff3a\uff41-\uff5a"),
    "Kore": (r"\p{scx=Hang}",),
    "Hans": (r"\p{scx=Hani}", r"\uff21-\uff3a\uff41-\uff5a"),
    "Hant": (r"\p{scx=Hani}", r"\uff21-\uff3a\uff41-\uff5a"),
}
LAST_LETTER = 0x323AF  # of the ideographs in the third supplementary plane
SAMPLED_LINES = 500


@dataclass(frozen=True, slots=True)
class Script:
    """A writing system. `name` is its ISO 15924 code.

    `letter` matches one character of it, `foreign` one letter of any other (and some numerals),
    `foreign_word` two or more of these, `third_word` two or more that are not Latin either. `strange` matches
    a Chinese character that this script writes in another way.
    """

    name: str
    letter: re.Pattern[str]
    foreign: re.Pattern[str]
    foreign_word: re.Pattern[str]
    third_word: re.Pattern[str]
    strange: re.Pattern[str] | None

    @property
    def is_latin(self) -> bool:
        """Whether it is the Latin script."""
        return self.name == "Latn"

    @property
    def needs_kana(self) -> bool:
        """Whether ten letters without a single kana are suspicious: only Japanese mixes Han with kana."""
        return self.name == "Jpan"


def script_of(language: str | None, outputs: Sequence[str] = ()) -> Script | None:
    """The script that a language is written in; None if it is unknown.

    Accepts the codes of every tokenizer: `ja`, `ja_XX`, `jpn_Jpan`, `zh-TW`. A script in the code takes
    precedence. Of a language with several scripts, such as Serbian, it is the one that most of `outputs`
    is in.
    """
    scripts = [script for script in map(_script, scripts_of(language or "")) if script]
    if len(scripts) > 1 and outputs:
        sample = "".join(outputs[:: max(1, len(outputs) // SAMPLED_LINES)])
        return max(scripts, key=lambda script: _letters(script, sample))
    return scripts[0] if scripts else None


def _letters(script: Script, sample: str) -> int:
    """The number of the script's letters, less those that it writes in another way."""
    letters = len(sample) - len(script.letter.sub("", sample))
    return letters - (len(script.strange.findall(sample)) if script.strange else 0)


@lru_cache(maxsize=16)
def _script(name: str) -> Script | None:
    own = _ranges(name)
    if not own:
        return None
    foreign = rf"[^\W\d_{own}]"
    third = rf"[^\W\d_{LATIN}{own}]{{2,}}"
    strange = re.compile(f"[{strange_to(name)}]") if strange_to(name) else None
    letter, one, two, others = map(re.compile, (f"[{own}]", foreign, f"{foreign}{{2,}}", third))
    return Script(name, letter, one, two, others, strange)


def _ranges(name: str) -> str:
    """The letters and marks of a script as ranges of a character class; empty if Unicode does not know it."""
    import regex  # type: ignore[import-untyped]

    parts = PARTS.get(name, (rf"\p{{scx={name}}}",))
    try:
        member = regex.compile(rf"[[{''.join(parts)}]&&[\p{{L}}\p{{M}}\u3007]]+", regex.VERSION1)
    except regex.error:
        return ""
    everything = "".join(map(chr, range(LAST_LETTER + 1)))
    return "".join(f"\\U{ord(run[0]):08x}-\\U{ord(run[-1]):08x}" for run in member.findall(everything))
