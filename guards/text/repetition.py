"""TXT001: lines that repeat themselves."""

import re
import unicodedata
import zlib

from guards.guard import Explanation
from guards.text import flag_rate

CODE = "TXT001"
TITLE = "Repetition"
READS = flag_rate.READS
EXPLANATION = Explanation(
    means="A line repeats itself: three or more copies of the same 3 to 101 characters in a row "
    "(OpusFilter's pattern), a text that zlib compresses to less than 1/2.4 (Whisper's threshold), or a "
    "short line that repeats one or two characters although its source does not. On human-annotated "
    "hallucinations such a rule finds about 40% at 97% precision, so the rate is a lower bound.",
    matters="A decoder loops when the model cannot translate: wrong language code, no training in "
    "translation, weights that were not loaded. A model trained on such lines learns to loop.",
    do="Read the worst lines. If nearly all lines are flagged, check the language codes and the model, not "
    "the decoding. If only a few are, try repetition_penalty, no_repeat_ngram_size or a smaller max_length; "
    "beam search amplifies loops.",
)

# OpusFilter's RepetitionFilter with its defaults: min_length=3, max_length=100, threshold=2.
REPEATED = re.compile(r"(\S.{2,100}?)(?: *\1){2,}")
# Whisper calls a decoding failed above this ratio of UTF-8 bytes to zlib bytes.
MAX_COMPRESSION = 2.4
# Not matched by REPEATED: one letter at least 4 times, or two at least 3 times ("I I I I", "jajaja").
# From 9 letters or 6 pairs on REPEATED matches too, so both a match and the line that it fills are short.
SHORT_LOOP = re.compile(r"([^\W_])(?: *\1){3,}|([^\W_]{2})(?: *\2){2,}")
# A source with one copy less excuses a short loop: the spelling of laughter varies between languages.
LOOPING_SOURCE = re.compile(r"([^\W_])(?: *\1){2,}|([^\W_]{2})(?: *\2)")


def is_flagged(output: str, source: str | None) -> bool:
    """Whether the line repeats itself. Without a source every short loop counts.

    A line of punctuation only is left to TXT002.
    """
    found = REPEATED.search(output) or shrinks(output) or loops_shortly(output, source)
    return bool(found) and says_something(output)


def shrinks(output: str) -> bool:
    """Whether zlib compresses the line's UTF-8 bytes to less than 1/2.4."""
    data = output.encode("utf-8", "surrogatepass")
    return len(data) > MAX_COMPRESSION * len(zlib.compress(data))


def loops_shortly(output: str, source: str | None) -> bool:
    """Whether one or two repeated letters make up half of the line, and the source does not loop."""
    longest = max((len(match[0]) for match in SHORT_LOOP.finditer(output)), default=0)
    return longest > 0 and 2 * longest >= len(output) and not LOOPING_SOURCE.search(source or "")


def says_something(output: str) -> bool:
    """Whether the text has a letter, a digit or a pictorial symbol (`♪`)."""
    return any(char.isalnum() or unicodedata.category(char) == "So" for char in output)


def sample_priority(output: str, source: str | None) -> int:  # noqa: ARG001 - one signature for all text rules
    """How useful a line is as a sample: the longest is best."""
    return len(output)


inspect = flag_rate.inspection(CODE, "repeat themselves")
