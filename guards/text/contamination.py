"""TXT003: lines with Latin words that the source does not have."""

from collections.abc import Iterator

from guards.guard import Explanation
from guards.text.flag_rate import inspect_rate
from guards.text.words import latin_words
from ledger.evidence.text import TextEvidence, TextLimits
from ledger.findings import Finding, Skip

CODE = "TXT003"
TITLE = "Contamination"
READS = (TextLimits, TextEvidence)
EXPLANATION = Explanation(
    means="A line in a language that is not written in Latin letters holds a Latin word of two letters or "
    "more that is not in its source. (Any Latin word at all would flag 10-22% of human "
    "translations.) Not judged without a source, or for languages in Latin letters, where a foreign "
    "word cannot be told by its letters.",
    matters="English that leaks into Japanese shows a model that prefers another target language, or "
    "teacher data that did. People do it too: 0.5-1.4% of lines in speech and news, about 5% in "
    "software strings.",
    do="Look at the worst lines. Names that were transliterated in the source are harmless; English "
    "words are not: check the target language code and how it is forced, then clean the training "
    "data.",
)


def is_flagged(output: str, source: str | None) -> bool:
    """Whether a Latin word of two letters or more is not in the source, upper and lower case alike."""
    return bool(foreign_words(output, source))


def foreign_words(output: str, source: str | None) -> set[str]:
    """The Latin words of two letters or more that the source does not hold, in lower case."""
    return {word for word in latin_words(output) - latin_words(source or "") if len(word) > 1}


def sample_priority(output: str, source: str | None) -> int:
    """How much a line tells as a sample: the one with the most foreign letters most."""
    return sum(map(len, foreign_words(output, source)))


def inspect(expected: TextLimits, actual: TextEvidence) -> Iterator[Finding | Skip]:
    """Hold the rate of flagged lines against the one that is allowed."""
    return inspect_rate(CODE, "hold Latin words that are not in the source", expected, actual)
