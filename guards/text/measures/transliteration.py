"""Whether a name in Latin letters is a word of the source in its own script: YouTube for 유튜브.

The two are compared by their consonants, in classes that transliteration does not keep apart (b/p, l/r).
The sounds of a character are those of its Unicode name: HANGUL SYLLABLE YU, KATAKANA LETTER TU.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

MIN_CONSONANTS = 2
# A source word may be longer by a particle or an ending: 유튜브에서.
MAX_ENDING = 3
KATAKANA_WORD = re.compile(r"[\u30a1-\u30ff]+")
OTHER_WORD = re.compile(r"[^\W\d_a-zA-Z]+")
CLASSES = str.maketrans("bpfvckgqdtlrmnszj", "PPPPKKKKTTLLMNSSS")
# How Latin letters sound in the languages that names come from; each is applied in turn.
SPELLING = (
    (r"ph", "f"), (r"tch|ch|sh|th", "s"), (r"c(?=[eiy])", "s"), (r"g(?=[eiy])", "j"), (r"ck", "k"),
    (r"x", "ks"), (r"(?<=[aeo])r$", ""), (r"([a-z])\1", r"\1"),
)  # fmt: skip
NOT_A_CLASS = re.compile("[^PKTLMNS]")
WHOLE_NAMES = ("HANGUL", "HIRAGANA", "KATAKANA", "CYRILLIC")  # elsewhere a letter is called beta or kaf
NAMED = re.compile(r"(?:LETTER|SYLLABLE|CHARACTER)(?: SMALL)? ([A-Z]+)")


def transliterates(name: str, source: str) -> bool:
    """Whether some word of the source begins with the consonants of `name`, and hardly goes on."""
    wanted = _spelt(name)
    return len(wanted) >= MIN_CONSONANTS and wanted in _all_beginnings(source)


@lru_cache(maxsize=4096)
def _spelt(name: str) -> str:
    """The consonants of a name in Latin letters."""
    spelt = name.lower()
    for pattern, sound in SPELLING:
        spelt = re.sub(pattern, sound, spelt)
    return _consonants(spelt)


def _words(source: str) -> Iterator[str]:
    # In Japanese, loan words are written in katakana, with no space around them.
    yield from KATAKANA_WORD.findall(source) or OTHER_WORD.findall(source)


@lru_cache(maxsize=16)
def _all_beginnings(source: str) -> frozenset[str]:
    return frozenset().union(*map(_beginnings, _words(source)))


@lru_cache(maxsize=16384)
def _beginnings(word: str) -> frozenset[str]:
    """The consonants of a word, and of what is left of it without each short ending."""
    sounds = [_sound(char) for char in word]
    return frozenset("".join(sounds[: -ending or None]) for ending in range(min(MAX_ENDING + 1, len(word))))


@lru_cache(maxsize=4096)
def _sound(char: str) -> str:
    """The consonants of one character's Unicode name; in most scripts, of the name's beginning."""
    name = unicodedata.name(char, "")
    found = NAMED.search(name)
    if found is None or char in "ッっ":
        return ""
    sound = found[1].lower()
    if name.startswith(("HIRAGANA", "KATAKANA")):
        sound = sound.replace("hu", "fu")
    return _consonants(sound if name.startswith(WHOLE_NAMES) else sound[:2])


def _consonants(text: str) -> str:
    return NOT_A_CLASS.sub("", text.replace("ng", "n").translate(CLASSES))
