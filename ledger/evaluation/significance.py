"""Paired bootstrap tests of the difference between two outputs' scores.

The resampling is that of sacrebleu's `--paired-bs` with the same seed, so the p-values are equal. Here it is
done in slices: sacrebleu holds all resamples of all lines at once, 4 GB for 50,000 lines.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ledger.errors import LedgerError
from ledger.evaluation.line_statistics import LineStatistics
from ledger.evaluation.sacrebleu_metrics import load_metrics
from ledger.evidence.metrics import LEVEL, Metric, PairedTest

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float64]]

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
    return paired_tests_of(*paired_statistics(baseline, candidate, reference, language))


def paired_statistics(
    baseline: Sequence[str], candidate: Sequence[str], reference: Sequence[str], language: str
) -> tuple[LineStatistics, LineStatistics]:
    """The statistics of both outputs; see `paired_tests`."""
    lengths = {len(baseline), len(candidate), len(reference)}
    if len(lengths) > 1 or 0 in lengths:
        raise LedgerError(
            f"the outputs have {len(baseline):,} and {len(candidate):,} lines, "
            f"the reference {len(reference):,}",
            hint="compare two translations of the same source, line by line, with its reference",
        )
    before, after = (LineStatistics.extract(side, (reference,), language) for side in (baseline, candidate))
    return before, after


def paired_tests_of(baseline: LineStatistics, candidate: LineStatistics) -> tuple[PairedTest, ...]:
    """The paired tests of two outputs whose statistics are known."""
    sides = (baseline, candidate)
    names = [total.name for total in sides[0].totals()]
    resampled = _resample(sides)
    return tuple(
        _paired_test(name, before, after, resampled[:, index])
        for index, (name, before, after) in enumerate(
            zip(names, *(side.metrics() for side in sides), strict=True)
        )
    )


def paired_test_of_means(
    name: str, baseline: Sequence[float], candidate: Sequence[float], signature: str
) -> PairedTest:
    """The paired test of two outputs whose score is the mean of a score of each line, such as COMET."""
    import numpy as np

    columns = np.array([baseline, candidate], dtype=np.float64).T
    before, after = (Metric(float(mean), signature) for mean in columns.mean(axis=0))
    return _paired_test(name, before, after, _totals(columns).T / len(columns))


def intervals(statistics: LineStatistics) -> tuple[tuple[float, float], ...]:
    """The 95% bootstrap intervals of BLEU and of chrF++ (0-100) of one output.

    Outputs whose intervals do not overlap differ by more than chance. Overlapping intervals say little: use a
    paired test.
    """
    import numpy as np

    bounds = np.percentile(_resample([statistics])[0], [100 * LEVEL / 2, 100 * (1 - LEVEL / 2)], axis=1)
    return tuple((min(float(low), 100.0), min(float(high), 100.0)) for low, high in bounds.T)


def _paired_test(name: str, baseline: Metric, candidate: Metric, resampled: "Floats") -> PairedTest:
    """The test on the scores of both outputs over the same resamples: an array of shape (2, RESAMPLES)."""
    import numpy as np

    differences = resampled[1] - resampled[0]
    difference = candidate.value - baseline.value
    low, high = np.percentile(differences, [100 * LEVEL / 2, 100 * (1 - LEVEL / 2)])
    return PairedTest(
        name=name,
        baseline=baseline,
        candidate=candidate,
        difference=difference,
        interval=(float(low), float(high)),
        p_value=_p_value(np.abs(differences), abs(difference))
        if differences.any()
        else 1.0,  # where no resample differs, sacrebleu's estimate would be the smallest there is
        detectable=float(POWER_FACTOR * differences.std(ddof=1)),
        signature=f"{baseline.signature}|bs:{RESAMPLES}|seed:{SEED}",
    )


def _resample(sides: Sequence[LineStatistics]) -> "Floats":
    """BLEU and chrF++ of each side over the same resamples: an array of shape (sides, 2, RESAMPLES).

    In a resample each line is drawn a number of times: its totals are one product with the lines' counts,
    exact because all numbers are whole and below 2**53.
    """
    import numpy as np

    columns = np.concatenate([counts for side in sides for counts in side.counts], axis=1, dtype=np.float64)
    return _scores(_totals(columns).astype(np.int64), sides)


def _totals(columns: "Floats") -> "Floats":
    """The sums of each column over each resample of the rows: an array of shape (RESAMPLES, columns)."""
    import numpy as np

    rng = np.random.default_rng(SEED)
    lines = len(columns)
    step = max(1, SLICE // lines)
    totals = []
    for first in range(0, RESAMPLES, step):
        chosen = rng.choice(lines, size=(min(step, RESAMPLES - first), lines), replace=True)
        times = np.array([np.bincount(row, minlength=lines) for row in chosen], dtype=np.float64)
        totals.append(times @ columns)
    return np.concatenate(totals)


def _scores(totals: "np.ndarray[Any, Any]", sides: Sequence[LineStatistics]) -> "Floats":
    """The scores of resamples: `totals` has a row for each, with the columns of BLEU and chrF++ by side."""
    import numpy as np

    scores, first = [], 0
    for side in sides:
        for metric, counts in zip(load_metrics(side.language), side.counts, strict=True):
            rows = totals[:, first : first + counts.shape[1]].tolist()
            scores.append([metric._compute_score_from_stats(row).score for row in rows])
            first += counts.shape[1]
    return np.array(scores).reshape(len(sides), 2, len(totals))


def _p_value(differences: "np.ndarray[Any, Any]", observed: float) -> float:
    """sacrebleu's p-value: the share of resamples whose centred difference exceeds the observed one."""
    import numpy as np

    beyond = np.count_nonzero(differences - differences.mean() > observed)
    return float((beyond + 1) / (len(differences) + 1))
