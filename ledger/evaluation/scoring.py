"""Scores of an output against a reference, by sacrebleu and nothing else. Pure, but for what sacrebleu loads.

sacrebleu is imported when a score is asked for: it costs 0.2 s.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ledger.errors import LedgerError
from ledger.evidence import Scores
from ledger.evidence.metrics import Metric
from ledger.models.languages import language_of

if TYPE_CHECKING:
    from sacrebleu.metrics.base import Score, Signature
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

# BLEU counts words; these languages need their own word splitter (the same Japanese output scores
# 25.3 with ja-mecab, 40.2 with char and 17.0 with 13a). The rest gets sacrebleu's default.
TOKENIZERS = {"ja": "ja-mecab", "ko": "ko-mecab", "zh": "zh"}
DEFAULT_TOKENIZER = "13a"


def score(output: Sequence[str], reference: Sequence[str], language: str) -> Scores:
    """Corpus BLEU and chrF++ (0-100) of `output` against one `reference`, line by line.

    `language` is that of both texts, in any family's spelling (`ja`, `ja_XX`, `jpn_Jpan`); it picks BLEU's
    tokenizer. Token counts are that tokenizer's. chrF++ is chrF with word bigrams (Popović, 2017).
    Raises LedgerError when the texts differ in length, are empty, or the tokenizer's package is missing.
    """
    if len(output) != len(reference):
        raise LedgerError(
            f"the output has {len(output)} lines and the reference {len(reference)}",
            hint="give the reference of this very output, one line for each of its lines",
        )
    if not output:
        raise LedgerError("there are no lines to score", hint="give an output that has at least one line")
    bleu, chrf = load_metrics(language)
    hypotheses, references = list(output), [list(reference)]
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
    """The name of the tokenizer that sacrebleu's BLEU should use for a language."""
    return TOKENIZERS.get(language_of(language), DEFAULT_TOKENIZER)


def load_metrics(language: str) -> "tuple[BLEU, CHRF]":
    """sacrebleu's BLEU with the language's tokenizer, and its chrF++.

    Raises LedgerError where either is not installed.
    """
    bleu = _load_bleu(language)  # first: it tells when sacrebleu is not there
    from sacrebleu.metrics.chrf import CHRF

    return bleu, CHRF(word_order=2)


def _load_bleu(language: str) -> "BLEU":
    tokenizer = tokenizer_for(language)
    try:
        from sacrebleu.metrics.bleu import BLEU

        # force: sacrebleu would print advice on stderr when many lines end in " .", as broken output does.
        return BLEU(tokenize=tokenizer, force=True)
    except (ImportError, RuntimeError) as error:
        extra = f"[{language_of(language)}]" if tokenizer.endswith("-mecab") else ""
        raise LedgerError(
            f"BLEU for {language} needs sacrebleu's tokenizer {tokenizer}, which is not installed",
            hint=f"install it with: pip install 'sacrebleu{extra}'",
        ) from error


def metric_of(result: "Score", signature: "Signature") -> Metric:
    """sacrebleu's score as one of ours."""
    # sacrebleu's sums of logarithms can end at 100.00000000000004.
    return Metric(value=min(float(result.score), 100.0), signature=f"{result.name}|{signature}")
