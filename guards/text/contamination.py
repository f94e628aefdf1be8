"""TXT003: lines with Latin words that are not in the source."""

from guards.guard import Explanation
from guards.text import flag_rate
from guards.text.words import latin_words

CODE = "TXT003"
TITLE = "Contamination"
READS = flag_rate.READS
EXPLANATION = Explanation(
    means="A line in a language that is not written in Latin letters contains a Latin word of two or more "
    "letters that is not in its source. (Counting every Latin word would flag 10-22% of human translations.) "
    "Skipped without a source, and for languages in Latin letters, where the letters do not identify a "
    "foreign word.",
    matters="English in Japanese output means that the model, or its teacher data, prefers another target "
    "language. People do it too: in 0.5-1.4% of lines in speech and news, in about 5% of software strings.",
    do="Read the worst lines. Names that were transliterated in the source are harmless; English words are "
    "not: check the target language code and how it is forced, then clean the training data.",
)


def is_flagged(output: str, source: str | None) -> bool:
    """Whether the line has a Latin word of two or more letters that is not in the source, ignoring case."""
    return bool(foreign_words(output, source))


def foreign_words(output: str, source: str | None) -> set[str]:
    """The Latin words of two or more letters that are not in the source, in lower case."""
    return {word for word in latin_words(output) - latin_words(source or "") if len(word) > 1}


def sample_priority(output: str, source: str | None) -> int:
    """How useful a line is as a sample: the one with the most foreign letters is best."""
    return sum(map(len, foreign_words(output, source)))


inspect = flag_rate.inspection(CODE, "contain Latin words that are not in the source")
