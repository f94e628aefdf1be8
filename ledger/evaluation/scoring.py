"""Corpus scores of an output against a reference, by sacrebleu.

sacrebleu is imported when a score is asked for: it costs 0.2 s.
"""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from ledger.errors import LedgerError
from ledger.evidence.metrics import Metric
from ledger.evidence.scores import Scores
from ledger.models.languages import language_of
from ledger.utils.plural import count

if TYPE_CHECKING:
    from sacrebleu.metrics.base import Score, Signature
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


def score(output: Sequence[str], reference: Sequence[str], language: str, *more: Sequence[str]) -> Scores:
    """Corpus BLEU and chrF++ (0-100) of `output` against its `reference`, and `more` of them, line by line.

    `language` is the language of both texts, in any family's spelling (`ja`, `ja_XX`, `jpn_Jpan`); it selects
    BLEU's tokenizer, which also gives the token counts. chrF++ is chrF with word bigrams (Popović, 2017).
    Raises LedgerError when the texts differ in length, are empty, or the tokenizer's package is missing.
    """
    for one in (reference, *more):
        if len(output) != len(one):
            raise LedgerError(
                f"the output has {count(len(output), 'line')} and the reference {len(one):,}",
                hint="give the reference for this output, one line for each of its lines",
            )
    if not output:
        raise LedgerError("there are no lines to score", hint="give an output that has at least one line")
    bleu, chrf = load_metrics(language)
    hypotheses, references = list(output), [list(one) for one in (reference, *more)]
    result = bleu.corpus_score(hypotheses, references)
    return Scores(
        bleu=metric_of(result, bleu.get_signature()),
        chrf=metric_of(chrf.corpus_score(hypotheses, references), chrf.get_signature()),
        brevity_penalty=result.bp,
        output_tokens=result.sys_len,
        reference_tokens=result.ref_len,
        lines=len(hypotheses),
    )


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
            hint=f"install it with: pip install 'sacrebleu{extra}'",
        ) from error


@cache
def _metrics(tokenizer: str) -> "tuple[BLEU, CHRF]":
    """One pair for each tokenizer: sacrebleu's own caches hold every MeCab tagger, 26 MB each, for ever."""
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    # force: sacrebleu would print advice on stderr when many lines end in " .", as broken output does.
    return BLEU(tokenize=tokenizer, force=True), CHRF(word_order=2)


def metric_of(result: "Score", signature: "Signature") -> Metric:
    """Convert a score of sacrebleu's."""
    # The rounding of sacrebleu's sums of logarithms can give 100.00000000000004.
    return Metric(value=min(float(result.score), 100.0), signature=f"{result.name}|{signature}")
