"""TXT008: lines that copy their source instead of translating it."""

import re
from bisect import bisect_left

from guards.guard import Explanation
from guards.text import flag_rate
from guards.text.measures.scripts import Script
from guards.text.measures.words import without_machine_text

CODE = "TXT008"
TITLE = "Copied source"
READS = flag_rate.READS
EXPLANATION = Explanation(
    means="A line has the letters of its source, or 32 characters of it in a row, or a word of it in a "
    "script that is neither Latin nor the target language's. Names, numbers, code and URLs may be copied: "
    "at least three words must begin with a small letter where the script has such. Skipped without a "
    "source.",
    matters="The model repeats its input: a wrong target code, a model that was only pretrained, or teacher "
    "data with untranslated lines. Scores and script guards hardly see it between related languages.",
    do="Check the target language code and how it is forced. Take copied pairs out of the training data: a "
    "small share teaches a model to copy.",
)

MIN_RUN = 32
STEP = 16  # a run of MIN_RUN characters holds one of these parts of the source whole
MIN_WORDS = 3
MIN_LETTERS = 6  # of a script without capitals
LETTER = re.compile(r"[^\W\d_]|[\U00010000-\U0010ffff]")
SMALL_WORD = re.compile(r"(?<![^\W\d_])[^\W\d_]{2,}")


def is_flagged(output: str, source: str | None, script: Script | None) -> bool:
    """Whether the line is its source, or holds a long part of it, or a word of it in another script."""
    if not source or not output:
        return False
    if output == source or (_first(output) == _first(source) and letters(output) == letters(source)):
        return is_prose(source)
    return has_foreign_copy(output, source, script) or (
        shares_a_part(output, source) and any(map(is_prose, _runs(output, source)))
    )


def _first(text: str) -> str:
    """The first of `letters`, which spares most lines the rest."""
    found = LETTER.search(text)
    return letters(found[0]) if found else ""


def letters(text: str) -> str:
    """The letters in lower case, without digits, punctuation and spaces, as in `fingerprints`."""
    return "".join(c if c > "\uffff" else c.lower()[0] for c in text if c.isalpha() or c > "\uffff")


def is_prose(text: str) -> bool:
    """Whether the text is more than names and code: three small words, or six letters without case."""
    words = SMALL_WORD.findall(without_machine_text(text, " "))
    small = sum(word[0].islower() for word in words)
    uncased = sum(len(word) for word in words if word.lower() == word.upper())
    return small >= MIN_WORDS or uncased >= MIN_LETTERS


def has_foreign_copy(output: str, source: str, script: Script | None) -> bool:
    """Whether a word of the source in a third script, neither Latin nor `script`, is in the output."""
    if script is None:
        return False
    return any(word in source for word in script.third_word.findall(output))


def shares_a_part(output: str, source: str) -> bool:
    """Whether one of the source's parts of 16 characters is in the output, as in every long run."""
    return any(source[start : start + STEP] in output for start in range(0, len(source) - STEP + 1, STEP))


def _runs(output: str, source: str) -> list[str]:
    """The parts of at least 32 characters that both have."""
    runs = []
    for start in range(0, len(source) - STEP + 1, STEP):
        place = output.find(source[start : start + STEP])
        if place < 0:
            continue
        before = _agreeing(source[:start][::-1], output[:place][::-1])
        after = _agreeing(source[start:], output[place:])
        if before + after >= MIN_RUN:
            runs.append(source[start - before : start + after])
    return runs


def _agreeing(one: str, other: str) -> int:
    """The number of characters with which both begin."""
    lengths = range(1, min(len(one), len(other)) + 1)
    return bisect_left(lengths, True, key=lambda length: one[:length] != other[:length])


def sample_priority(output: str, source: str | None) -> int:  # noqa: ARG001 - one signature for all text rules
    """How useful a line is as a sample: the longest is best."""
    return len(output)


inspect = flag_rate.inspection(CODE, "copy their source")
