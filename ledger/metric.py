"""Scores, one or two held against each other, with how they were computed: without that they mean little."""

from dataclasses import dataclass

LEVEL = 0.05  # of a test, and 1 - LEVEL is its interval's share


@dataclass(frozen=True, slots=True)
class Metric:
    """One score with how it was computed. `value` is on `scale` (an inclusive range)."""

    value: float
    signature: str
    scale: tuple[float, float] = (0.0, 100.0)


@dataclass(frozen=True, slots=True)
class PairedTest:
    """One score of two outputs of the same source, 0-100, and what chance could do to their difference.

    `difference` is candidate minus baseline, `interval` holds it in 95% of the resamples, `p_value` is the
    probability of a difference as large where there is none, and `detectable` the smallest difference that as
    many lines of this kind show in 80 of 100 tests. `signature` says how all of it was computed.
    """

    name: str
    baseline: Metric
    candidate: Metric
    difference: float
    interval: tuple[float, float]
    p_value: float
    detectable: float
    signature: str

    @property
    def significant(self) -> bool:
        """Whether chance alone would give such a difference in fewer than 5 of 100 cases."""
        # For two equal outputs no resample exceeds the difference of 0 either, and sacrebleu's p is tiny.
        return self.difference != 0 and self.p_value < LEVEL
