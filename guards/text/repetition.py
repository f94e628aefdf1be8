"""TXT001: lines that repeat themselves."""

import re
import unicodedata
import zlib

from guards.guard import Explanation
from guards.text import flag_rate
from guards.text.measures.width import columns

CODE = "TXT001"
TITLE = "Repetition"
READS = flag_rate.READS
EXPLANATION = Explanation(
    means="A line repeats itself: three or more copies of the same 3 to 101 characters in a row "
    "(OpusFilter's pattern), a text that zlib compresses to less than 1/2.4 of one byte a letter (Whisper's "
    "threshold, which counts UTF-8 bytes), or a short line that repeats one or two characters. A source "
    "that repeats itself as much excuses all three. On human-annotated hallucinations such a rule finds "
    "about 40% at 97% precision, so the rate is a lower bound.",
    matters="A decoder loops when the model cannot translate: wrong language code, no training in "
    "translation, weights that were not loaded. A model trained on such lines learns to loop.",
    do="Read the worst lines. If nearly all lines are flagged, check the language codes and the model, not "
    "the decoding. If only a few are, try repetition_penalty, no_repeat_ngram_size or a smaller max_length; "
    "beam search amplifies loops.",
)

# OpusFilter's RepetitionFilter with its defaults: min_length=3, max_length=100, threshold=2.
REPEATED = re.compile(r"(\S.{2,100}?)(?: *\1){2,}")
# Whisper calls a decoding failed above this ratio of text to zlib bytes. Counted in UTF-8 bytes as there,
# paragraphs in the scripts of India and Georgia, three bytes a letter, exceed it without any repetition.
MAX_COMPRESSION = 2.4
# Not matched by REPEATED: one letter at least 4 times, or two at least 3 times ("I I I I", "jajaja").
# From 9 letters or 6 pairs on REPEATED matches too, so both a match and the line that it fills are short.
SHORT_LOOP = re.compile(r"([^\W_])(?: *\1){3,}|([^\W_]{2})(?: *\2){2,}")
# A source with one copy less excuses a short loop: the spelling of laughter varies between languages.
LOOPING_SOURCE = re.compile(r"([^\W_])(?: *\1){2,}|([^\W_]{2})(?: *\2)")
# A loop below this length is excused by any loop of the source, a longer one by a loop half as wide.
LONG_LOOP = 20


def is_flagged(output: str, source: str | None) -> bool:
    """Whether the line repeats itself more than its source does. Without a source every loop counts.

    A line of punctuation only is left to TXT002.
    """
    if not says_something(output):
        return False
    loop = _longest(REPEATED, output) or _short_loop(output)
    if loop and not _excuses(source, loop):
        return True
    return shrinks(output) and not (source and compression(source) * 1.5 > compression(output))


def compression(text: str) -> float:
    """How many times smaller zlib makes the text, at one byte a letter; 0 if it is empty.

    The letters are numbered, so that those of all scripts weigh the same. Beyond 256 different ones the
    numbers repeat.
    """
    try:
        data = text.encode("latin-1")
    except UnicodeEncodeError:
        numbers = {ord(char): number & 0xFF for number, char in enumerate(dict.fromkeys(text))}
        data = text.translate(numbers).encode("latin-1")
    return len(data) / len(zlib.compress(data))


def shrinks(output: str) -> bool:
    """Whether zlib compresses the line's letters to less than 1/2.4."""
    return compression(output) > MAX_COMPRESSION


def _longest(pattern: re.Pattern[str], text: str) -> str:
    """The longest match that says something, or is long; empty if there is none."""
    found = (match[0] for match in pattern.finditer(text))
    return max(
        (loop for loop in found if says_something(loop) or len(loop) >= LONG_LOOP), key=len, default=""
    )


def _short_loop(output: str) -> str:
    """A loop of one or two letters that makes up half of the line, or nothing."""
    longest = max((match[0] for match in SHORT_LOOP.finditer(output)), key=len, default="")
    return longest if 2 * len(longest) >= len(output) else ""


def _excuses(source: str | None, loop: str) -> bool:
    """Whether the source repeats itself about as much."""
    loops = [match[0] for pattern in (REPEATED, LOOPING_SOURCE) for match in pattern.finditer(source or "")]
    if not loops:
        return False
    return len(loop) < LONG_LOOP or columns(loop) <= 2 * max(map(columns, loops))


def says_something(text: str) -> bool:
    """Whether the text has a letter, a digit or a pictorial symbol (`♪`)."""
    return any(char.isalnum() or is_symbol(char) for char in text)


def is_symbol(char: str) -> bool:
    """Whether the character is a pictorial symbol."""
    return unicodedata.category(char) == "So"


def sample_priority(output: str, source: str | None) -> int:  # noqa: ARG001 - one signature for all text rules
    """How useful a line is as a sample: the longest is best."""
    return len(output)


inspect = flag_rate.inspection(CODE, "repeat themselves")
