"""What a difference between two scores is worth: how often people find the same system better.

Kocmi, Zouhar, Federmann and Post, "Navigating the Metrics Maze" (ACL 2024), fitted a curve to people's
judgements of pairs of systems: a / (1 + exp(-b * points)) percent agree. The figures are those of their tool
mt-thresholds 1.0.4. It has none for chrF++.
"""

import math

_CURVES = {"BLEU": (88.33333333333225, 0.9663926931178954), "COMET": (96.22374133884283, 2.8359194570556636)}
_MODEL = "wmt22-comet-da"  # the COMET that they measured


def agreement(name: str, points: float, signature: str) -> float | None:
    """The share (0-1) of pairs of systems in which people agree with a difference of so many points.

    None for a score that was not studied, which includes other COMET models than wmt22-comet-da.
    """
    if name not in _CURVES or (name == "COMET" and _MODEL not in signature):
        return None
    highest, slope = _CURVES[name]
    return highest / 100 / (1 + math.exp(-slope * abs(points)))
