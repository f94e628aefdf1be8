"""Corpus scores of an output against a reference, by sacrebleu."""

from collections.abc import Sequence

from ledger.evaluation.line_statistics import LineStatistics
from ledger.evidence.scores import Scores


def score(output: Sequence[str], reference: Sequence[str], language: str, *more: Sequence[str]) -> Scores:
    """Corpus BLEU and chrF++ (0-100) of `output` against its `reference`, and `more` of them, line by line.

    BLEU's tokenizer is that of `language` and gives the token counts. chrF++ is chrF with word bigrams
    (Popović, 2017). Raises LedgerError as `LineStatistics.extract` does.
    """
    return scores_of(LineStatistics.extract(output, (reference, *more), language))


def scores_of(statistics: LineStatistics) -> Scores:
    """The corpus scores of an output whose statistics are known."""
    bleu, chrf = statistics.metrics()
    total = statistics.totals()[0]
    return Scores(
        bleu=bleu,
        chrf=chrf,
        brevity_penalty=total.bp,
        output_tokens=total.sys_len,
        reference_tokens=total.ref_len,
        lines=len(statistics.counts[0]),
    )
