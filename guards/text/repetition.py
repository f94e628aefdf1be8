"""TXT001: lines that say the same thing over and over."""

import re
import unicodedata
import zlib
from collections.abc import Iterator

from guards.guard import Explanation
from guards.text.flag_rate import inspect_rate
from ledger.evidence.text import TextEvidence, TextLimits
from ledger.findings import Finding, Skip

CODE = "TXT001"
TITLE = "Repetition"
READS = (TextLimits, TextEvidence)
EXPLANATION = Explanation(
    means="A line repeats itself: three or more copies of the same 3 to 101 characters in a row "
    "(OpusFilter's pattern), a text that zlib shrinks to less than 1/2.4 (Whisper's threshold), or a short "
    "line made of one or two characters again and again where the source does not do so. On human-annotated "
    "hallucinations such a rule finds about 40% at 97% precision: read the rate as 'at least'.",
    matters="Looping is how a decoder fails when the model does not know what to say: a wrong language "
    "code, a model that never learned to translate, weights that were not loaded. Trained on, it teaches "
    "looping.",
    do="Look at the worst lines. Nearly all of them: check the language codes and the model, not the "
    "decoding. A few: try repetition_penalty, no_repeat_ngram_size or a smaller max_length; beams amplify "
    "loops.",
)

# OpusFilter's RepetitionFilter with its defaults: min_length=3, max_length=100, threshold=2.
REPEATED = re.compile(r"(\S.{2,100}?)(?: *\1){2,}")
# Whisper calls a decoding failed above this ratio of UTF-8 bytes to zlib bytes.
MAX_COMPRESSION = 2.4
# What REPEATED cannot see: units of one or two letters, 4 or 3 times and more ("I I I I", "jajaja").
# At 9 letters, or 6 pairs, REPEATED takes over; so a match is short, and the line that it fills as well.
SHORT_LOOP = re.compile(r"([^\W_])(?: *\1){3,}|([^\W_]{2})(?: *\2){2,}")
# The source excuses a short loop with one copy less: laughter is written out differently everywhere.
LOOPING_SOURCE = re.compile(r"([^\W_])(?: *\1){2,}|([^\W_]{2})(?: *\2)")


def is_flagged(output: str, source: str | None) -> bool:
    """Whether the line repeats itself. Without a source no short loop is excused.

    A line of nothing but punctuation marks is left to TXT002: a row of dots repeats nothing.
    """
    found = REPEATED.search(output) or shrinks(output) or loops_shortly(output, source)
    return bool(found) and says_something(output)


def shrinks(output: str) -> bool:
    """Whether zlib shrinks the line's UTF-8 bytes to less than 1/2.4."""
    data = output.encode("utf-8", "surrogatepass")
    return len(data) > MAX_COMPRESSION * len(zlib.compress(data))


def loops_shortly(output: str, source: str | None) -> bool:
    """Whether one or two letters repeated make up half of the line, and the source does not loop."""
    longest = max((len(match[0]) for match in SHORT_LOOP.finditer(output)), default=0)
    return longest > 0 and 2 * longest >= len(output) and not LOOPING_SOURCE.search(source or "")


def says_something(output: str) -> bool:
    """Whether a letter, a digit or a pictorial symbol (`♪`) is there."""
    return any(char.isalnum() or unicodedata.category(char) == "So" for char in output)


def sample_priority(output: str, source: str | None) -> int:  # noqa: ARG001 - one signature for all text rules
    """How much a line tells as a sample: the longest repeat most."""
    return len(output)


def inspect(expected: TextLimits, actual: TextEvidence) -> Iterator[Finding | Skip]:
    """Hold the rate of flagged lines against the one that is allowed."""
    return inspect_rate(CODE, "repeat themselves", expected, actual)
