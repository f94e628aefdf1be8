"""sacrebleu's BLEU and chrF++ for a language.

sacrebleu is imported when a score is asked for: it costs 0.2 s.
"""

from functools import cache
from typing import TYPE_CHECKING

from ledger.errors import LedgerError
from ledger.models.languages import language_of

if TYPE_CHECKING:
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

# BLEU counts words, and these languages need their own word splitter: the same Japanese output scores
# 25.3 with ja-mecab, 40.2 with char and 17.0 with 13a. Other languages use sacrebleu's default.
# Scripts without spaces and without a splitter are counted in characters: by words, Thai scores 0.00
# against itself.
TOKENIZERS = {
    "ja": "ja-mecab",
    "ko": "ko-mecab",
    **dict.fromkeys(("zh", "yue", "lzh", "wuu", "gan", "hak", "nan"), "zh"),
    **dict.fromkeys(("th", "lo", "km", "my", "bo", "dz", "shn", "nod", "mnw"), "char"),
}
DEFAULT_TOKENIZER = "13a"


def tokenizer_for(language: str) -> str:
    """The name of sacrebleu's BLEU tokenizer for a language."""
    return TOKENIZERS.get(language_of(language), DEFAULT_TOKENIZER)


def load_metrics(language: str) -> "tuple[BLEU, CHRF]":
    """sacrebleu's BLEU with the language's tokenizer, and its chrF++.

    Raises LedgerError if sacrebleu or the tokenizer's package is not installed.
    """
    tokenizer = tokenizer_for(language)
    try:
        return _metrics(tokenizer)
    except (ImportError, RuntimeError) as error:
        extra = f"[{language_of(language)}]" if tokenizer.endswith("-mecab") else ""
        raise LedgerError(
            f"BLEU for {language} needs sacrebleu's tokenizer {tokenizer}, which is not installed",
            hint=f"install it with: pip install 'experiment-ledger{extra}'",
        ) from error


@cache
def _metrics(tokenizer: str) -> "tuple[BLEU, CHRF]":
    """One pair for each tokenizer: sacrebleu's own caches hold every MeCab tagger, 26 MB each, for ever."""
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    # force: sacrebleu would print advice on stderr when many lines end in " .", as broken output does.
    return BLEU(tokenize=tokenizer, force=True), CHRF(word_order=2)
