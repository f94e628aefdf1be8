"""TXT011: lines in another language of the same script."""

import random
from collections.abc import Sequence

from guards.guard import Explanation
from guards.text import flag_rate
from guards.text.measures.chunk import Chunk
from guards.text.measures.language_id import Choice
from guards.text.measures.scripts import Script
from guards.text.measures.words import without_names

CODE = "TXT011"
TITLE = "Another language"
READS = flag_rate.READS
EXPLANATION = Explanation(
    means="A line is at least 20 times as likely in another language as in the target language, among those "
    "written in the same script, such as French instead of German or Russian instead of Ukrainian. Lines "
    "with fewer than 15 letters or three words, not counting names and code, are not judged. Of a file of "
    "more than 20,000 lines, 20,000 are drawn. Chinese and Japanese are judged by their characters: a "
    "simplified character in traditional or Japanese text, a traditional one in simplified text. Skipped if "
    "the language is unknown, or the only known one of its script.",
    matters="A wrong language code, or teacher data in the wrong language. Script guards cannot see it, and "
    "scores without a reference cannot either. Closely related languages are found in part only, so the "
    "rate is a lower bound.",
    do="Read the worst lines. If nearly all are flagged, check the target language code and the file's "
    "language; otherwise take the flagged lines out of the training data.",
)

MIN_ODDS = 20
MIN_LETTERS = 15
MIN_WORDS = 3
SAMPLED_LINES = 20_000
SEED = 11


def drawn_lines(total: int) -> Sequence[int]:
    """The lines that are judged: all, or a fixed sample in order."""
    if total <= SAMPLED_LINES:
        return range(total)
    return sorted(random.Random(SEED).sample(range(total), SAMPLED_LINES))


def flagged_lines(text: Chunk, choice: Choice) -> list[int]:
    """The indices of the drawn lines that are surely in another language, in order."""
    return [
        line
        for line in drawn_lines(len(text.outputs))
        if language_instead(text.outputs[line], text.source(line), choice)
    ]


def language_instead(output: str, source: str | None, choice: Choice) -> str | None:
    """The language that the line is surely in instead of the target's."""
    if len(output) < MIN_LETTERS or output == source:
        return None
    text = without_names(output, source)
    if len(text) - len(choice.script.letter.sub("", text)) < MIN_LETTERS or len(text.split()) < MIN_WORDS:
        return None
    odds = choice.odds_against(text)
    likeliest = max(odds, key=lambda language: odds[language], default=None)
    return likeliest if likeliest and odds[likeliest] >= MIN_ODDS else None


def is_flagged(output: str, source: str | None, script: Script) -> bool:
    """Whether a character of another standard is in the line, and not in its source."""
    found = script.strange.findall(output) if script.strange else ()
    return any(char not in (source or "") for char in found)


def sample_priority(output: str, source: str | None) -> int:  # noqa: ARG001 - one signature for all text rules
    """How useful a line is as a sample: the longest is best."""
    return len(output)


inspect = flag_rate.inspection(CODE, "are in another language")
