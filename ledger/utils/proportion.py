"""The interval of a share that was counted on a sample."""

from math import sqrt
from statistics import NormalDist


def wilson_interval(count: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """The interval (0-1) of a share of which `count` of `total` drawn items were seen (Wilson, 1927).

    Raises ZeroDivisionError when nothing was drawn.

    >>> [round(bound, 3) for bound in wilson_interval(5, 100)]
    [0.022, 0.112]
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, spread = count / total, z * z / total
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * sqrt(share * (1 - share) / total + spread / (4 * total))
    low, high = middle - half, middle + half
    return (0.0 if count == 0 else low, 1.0 if count == total else high)
