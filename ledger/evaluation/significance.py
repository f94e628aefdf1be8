"""Paired bootstrap tests of the difference between two outputs' scores.

The resampling is that of sacrebleu's `--paired-bs` with the same seed, so the p-values are equal. Here it is
done in slices: sacrebleu holds all resamples of all lines at once, 4 GB for 50,000 lines.
"""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ledger.errors import LedgerError
from ledger.evaluation.scoring import load_metrics, metric_of
from ledger.evidence.metrics import LEVEL, PairedTest

if TYPE_CHECKING:
    import numpy as np
    from sacrebleu.metrics.base import Metric as SacreMetric

RESAMPLES = 1000  # sacrebleu's default for the paired bootstrap
SEED = 12345  # also sacrebleu's default
# A test at the 5% level detects a difference of (1.96 + 0.84) standard errors in 80 of 100 cases: the
# quantiles of the normal distribution at 97.5% and 80%, as in the usual sample-size formula of a
# two-sided test.
POWER_FACTOR = 1.96 + 0.84
SLICE = 2_000_000  # resampled line numbers held at once: 16 MB


def paired_tests(
    baseline: Sequence[str], candidate: Sequence[str], reference: Sequence[str], language: str
) -> tuple[PairedTest, ...]:
    """BLEU and chrF++ of both outputs with their paired tests (Koehn, 2004).

    `language` selects BLEU's tokenizer as in `ledger.evaluation.scoring.score`. Raises LedgerError if the
    texts differ in length or are empty.
    """
    lengths = {len(baseline), len(candidate), len(reference)}
    if len(lengths) > 1 or 0 in lengths:
        raise LedgerError(
            f"the outputs have {len(baseline):,} and {len(candidate):,} lines, "
            f"the reference {len(reference):,}",
            hint="compare two translations of the same source, line by line, with its reference",
        )
    test = partial(_paired_test, list(baseline), list(candidate), list(reference))
    return tuple(test(metric) for metric in load_metrics(language))


def intervals(
    output: Sequence[str], reference: Sequence[str], language: str
) -> tuple[tuple[float, float], ...]:
    """The 95% bootstrap intervals of BLEU and of chrF++ (0-100).

    Outputs whose intervals do not overlap differ by more than chance. Overlapping intervals say little: use a
    paired test.
    """
    import numpy as np

    found = []
    for metric in load_metrics(language):
        statistics = metric._extract_corpus_statistics(list(output), [list(reference)])
        resampled = _resample(metric, [np.array(statistics, dtype=np.int64)])
        low, high = np.percentile(resampled[0], [100 * LEVEL / 2, 100 * (1 - LEVEL / 2)])
        found.append((min(float(low), 100.0), min(float(high), 100.0)))
    return tuple(found)


def _paired_test(
    baseline: list[str], candidate: list[str], reference: list[str], metric: "SacreMetric"
) -> PairedTest:
    import numpy as np

    sides = [metric._extract_corpus_statistics(side, [reference]) for side in (baseline, candidate)]
    scores = [metric._aggregate_and_compute(side) for side in sides]
    resampled = _resample(metric, [np.array(side, dtype=np.int64) for side in sides])
    differences = resampled[1] - resampled[0]
    found = [metric_of(score, metric.get_signature()) for score in scores]
    difference = found[1].value - found[0].value
    low, high = np.percentile(differences, [100 * LEVEL / 2, 100 * (1 - LEVEL / 2)])
    return PairedTest(
        name=scores[0].name,
        baseline=found[0],
        candidate=found[1],
        difference=difference,
        interval=(float(low), float(high)),
        p_value=_p_value(np.abs(differences), abs(scores[1].score - scores[0].score))
        if differences.any()
        else 1.0,  # where no resample differs, sacrebleu's estimate would be the smallest there is
        detectable=float(POWER_FACTOR * differences.std(ddof=1)),
        signature=f"{found[0].signature}|bs:{RESAMPLES}|seed:{SEED}",
    )


def _resample(metric: "SacreMetric", sides: "list[np.ndarray[Any, Any]]") -> "np.ndarray[Any, Any]":
    """The scores of each side over the same resamples of the lines: an array of shape (sides, RESAMPLES)."""
    import numpy as np

    rng = np.random.default_rng(SEED)
    lines = len(sides[0])
    step = max(1, SLICE // lines)
    scores: list[list[float]] = [[] for _ in sides]
    for first in range(0, RESAMPLES, step):
        chosen = rng.choice(lines, size=(min(step, RESAMPLES - first), lines), replace=True)
        for side, found in zip(sides, scores, strict=True):
            totals = (side[row].sum(axis=0).tolist() for row in chosen)
            found += [metric._compute_score_from_stats(total).score for total in totals]
    return np.array(scores)


def _p_value(differences: "np.ndarray[Any, Any]", observed: float) -> float:
    """sacrebleu's p-value: the share of resamples whose centred difference exceeds the observed one."""
    import numpy as np

    beyond = np.count_nonzero(differences - differences.mean() > observed)
    return float((beyond + 1) / (len(differences) + 1))
