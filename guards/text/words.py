"""Words in Latin letters, and which of them a translation may copy from its source."""

import re

from guards.text.scripts import LATIN

LATIN_WORD = re.compile(f"[{LATIN}]+")
OTHER_LETTER = re.compile(rf"[^\W\d_{LATIN}]")


def latin_words(text: str) -> set[str]:
    """The distinct words in Latin letters, in lower case."""
    return set(LATIN_WORD.findall(text.lower()))


def without_names(output: str, source: str | None) -> str:
    """`output` without the Latin words that are also in the source, which a translation may copy.

    If the source has Latin letters only, these are just the words with a capital (names): otherwise every
    word of a copied sentence would be left out.
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
