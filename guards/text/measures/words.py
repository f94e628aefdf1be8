"""The words and symbols that a translation may rightly have in another script than its own."""

import re
from collections.abc import Callable

from guards.text.measures.scripts import LATIN
from guards.text.measures.transliteration import transliterates

LATIN_WORD = re.compile(f"[{LATIN}]+")
OTHER_LETTER = re.compile(rf"[^\W\d_{LATIN}]")

# What programs read, not people: URLs, addresses, tags, placeholders, quoted code, paths and identifiers.
MACHINE_TEXT = re.compile(
    r"""https?://[^\s<>"'）」』】、。，]+ | [\w.+-]+@[\w-]+(?:\.[\w-]+)+ | <[^<>]*> | &\w+;
    | %\([^()]*\)[-+\x20#0-9.]*[a-zA-Z] | %[-+#0-9.]*[a-zA-Z]\b | \$?\{[^{}]*\} | \$\w+ | `[^`]*`
    | (?a:(?:[-./\\*~@\#]+\w+|\w+(?:[._/\\:*=@\#]|::)+\w+)(?:[-._/\\:*=@\#]+\w+)*)""",
    re.VERBOSE,
)
# Every match has one of these in it.
MACHINE_TRACE = re.compile(r"[-.\\*~#:_=]\w|[/@<&%{$`]")
COMPOUND = re.compile(rf"[{LATIN}]+(?:-[{LATIN}]+)*")
BEYOND_LATIN = "\u2c80"  # no letter from here on is Latin, nor is its lower case
LAUGHTER = re.compile(r"(\w)\1{2,}", re.IGNORECASE)


def latin_words(text: str) -> set[str]:
    """The distinct words in Latin letters, in lower case."""
    return set(LATIN_WORD.findall(text.lower()))


def is_copied(word: str, source: str) -> bool:
    """Whether a word of ASCII letters stands in the source, not as a part of another Latin word. Cheap."""
    place = source.find(word)
    if place < 0:
        return False
    before, after = source[place - 1 : place], source[place + len(word) : place + len(word) + 1]
    return not (before.isalpha() and before < BEYOND_LATIN) and not (after.isalpha() and after < BEYOND_LATIN)


def without_machine_text(text: str, replacement: str | Callable[[re.Match[str]], str]) -> str:
    """The text with its machine text replaced, as by `re.sub`."""
    return MACHINE_TEXT.sub(replacement, text) if MACHINE_TRACE.search(text) else text


def without_names(output: str, source: str | None) -> str:
    """`output` without the code, names and interjections that a translation may copy.

    Without a source this is all code. With one it is the code that is also in the source, the names that
    spell a word of it in Latin letters, and the Latin words that are also in the source. If the source has
    Latin letters only, these are just the words with a capital (names): otherwise every word of a copied
    sentence would be left out.
    """
    if not source:
        return without_machine_text(output, lambda match: "" if match[0].isascii() else match[0])
    text = without_machine_text(
        output, lambda match: "" if match[0].isascii() and match[0] in source else match[0]
    )
    known = latin_words(source)
    source_is_latin = not OTHER_LETTER.search(source)
    return COMPOUND.sub(_keeper(source, known, source_is_latin), text)


def _keeper(source: str, known: set[str], source_is_latin: bool) -> Callable[[re.Match[str]], str]:
    def keep(match: re.Match[str]) -> str:
        word = match[0]
        parts = [part for part in LATIN_WORD.findall(word) if not is_known(part)]
        is_name = parts and not source_is_latin and is_explained(word, source)
        return "" if is_name else "-".join(parts)

    def is_known(word: str) -> bool:
        return word.lower() in known and (not source_is_latin or word != word.lower())

    return keep


def without_explained(output: str, source: str) -> str:
    """`output` without the Latin words that the source explains."""
    return COMPOUND.sub(lambda match: "" if is_explained(match[0], source) else match[0], output)


def is_explained(word: str, source: str) -> bool:
    """Whether a word that is not in the source is laughter (`www`), or a name that the source spells."""
    return LAUGHTER.fullmatch(word) is not None or (word != word.lower() and transliterates(word, source))
