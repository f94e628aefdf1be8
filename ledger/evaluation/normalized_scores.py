"""Scores after normalising the Unicode form of output and references: what is left is the translation."""

from collections.abc import Callable, Sequence

from ledger.evaluation.line_statistics import LineStatistics
from ledger.evidence.metrics import Metric

NAME = "norm:NFKC"  # added to the signature
NORMALIZED = "Unicode form normalized (NFKC, no invisible characters)"
# Scores are compared to one decimal. Below that it is only the tokenizer that splits a few lines otherwise.
LEAST_SHIFT = 0.1


def normalized_statistics(
    statistics: Sequence[LineStatistics],
    outputs: Sequence[Sequence[str]],
    references: Sequence[Sequence[str]],
    normalize: Callable[[str], str],
) -> tuple[LineStatistics, ...]:
    """The statistics of each output with all texts normalised; empty where no score moves by LEAST_SHIFT."""
    found = tuple(
        one.rewritten(output, references, normalize, NAME)
        for one, output in zip(statistics, outputs, strict=True)
    )
    moved = any(_moved(one.metrics(), other.metrics()) for one, other in zip(statistics, found, strict=True))
    return found if moved else ()


def _moved(before: Sequence[Metric], after: Sequence[Metric]) -> bool:
    return any(abs(one.value - other.value) >= LEAST_SHIFT for one, other in zip(before, after, strict=True))
