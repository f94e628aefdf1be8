"""TXT003: lines with words in another script that are not in the source."""

from guards.guard import Explanation
from guards.text import flag_rate
from guards.text.measures.scripts import Script
from guards.text.measures.words import latin_words, without_explained

CODE = "TXT003"
TITLE = "Contamination"
READS = flag_rate.READS
EXPLANATION = Explanation(
    means="A line contains a word of two or more letters in another script than the target language's, such "
    "as English in Japanese or Chinese in German, that is not in its source. (Counting every Latin word "
    "would flag 10-22% of human translations.) A name that the source spells in its own script, such as "
    "YouTube for 유튜브, and laughter (www) do not count. Skipped without a source, and where the script is "
    "unknown.",
    matters="English in Japanese output means that the model, or its teacher data, prefers another target "
    "language. People do it too: in 0.5-1.4% of lines in speech and news, in about 5% of software strings.",
    do="Read the worst lines. Names that were transliterated in the source are harmless; English words are "
    "not: check the target language code and how it is forced, then clean the training data.",
)


def is_flagged(output: str, source: str | None, script: Script) -> bool:
    """Whether the line has a word in another script than `script` that is not in the source."""
    return bool(foreign_words(output, source, script))


def foreign_words(output: str, source: str | None, script: Script) -> set[str]:
    """The words of two or more letters in another script that the source neither has nor explains."""
    words = set(script.foreign_word.findall(output))
    if not words:
        return words
    known = latin_words(source or "")
    unknown = {word for word in words if word.lower() not in known}
    if not unknown:
        return unknown
    known = set(script.foreign_word.findall((source or "").lower()))
    unknown = {word for word in unknown if word.lower() not in known}
    return unknown & set(script.foreign_word.findall(without_explained(output, source or "")))


def sample_priority(output: str, source: str | None) -> int:
    """How useful a line is as a sample: the one with the most words that are not in the source is best."""
    return len(set(output.lower().split()) - set((source or "").lower().split()))


inspect = flag_rate.inspection(CODE, "contain words in another script that are not in the source")
