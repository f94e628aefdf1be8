"""Words in Latin letters, and which of them a translation may keep as they are."""

import re

from guards.text.scripts import LATIN

LATIN_WORD = re.compile(f"[{LATIN}]+")
OTHER_LETTER = re.compile(rf"[^\W\d_{LATIN}]")


def latin_words(text: str) -> set[str]:
    """The distinct words in Latin letters, in lower case."""
    return set(LATIN_WORD.findall(text.lower()))


def without_names(output: str, source: str | None) -> str:
    """`output` less the Latin words that a translation may keep: those that stand in the source.

    Where the source has no other letters, only those with a capital are taken for names: otherwise a
    sentence that was copied whole would be excused word by word.
    """
    if not source:
        return output
    known = latin_words(source)
    source_is_latin = not OTHER_LETTER.search(source)

    def keep(match: re.Match[str]) -> str:
        word = match[0]
        is_name = word.lower() in known and (not source_is_latin or word != word.lower())
        return "" if is_name else word

    return LATIN_WORD.sub(keep, output) if known else output
