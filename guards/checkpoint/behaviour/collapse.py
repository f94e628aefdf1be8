"""When a score counts as collapsed: pure functions of this family.

A verification translates few lines, 32 by default. On real translations 32 random lines tell BLEU 22 from 1
with an error below 0.01%, while a drop of one point needs 3,000 to 5,000 lines. So a sample only shows a
collapse. A third is far below what rounding does (a half-trained bfloat16 model scored 39.4 in training and
46.1 reloaded), and above the scores after broken reloads (0.0 to 1.3 of 100).
"""

from ledger.evidence.metrics import Metric

SHARE = 1 / 3
# A lower score cannot collapse: an early checkpoint of a healthy training scores 0 to 5.
WORTH = 5.0
# Over fewer lines a collapse is not certain: the finding is then a warning.
LINES = 32


def collapsed(before: float, after: float) -> bool:
    """Whether `after` is a collapse of `before`, both in points of 100."""
    return before >= WORTH and after < before * SHARE


def points(score: Metric) -> float:
    """A score converted to points of 100."""
    low, high = score.scale
    return 100 * (score.value - low) / (high - low)


def same_measure(a: Metric, b: Metric) -> bool:
    """Whether two scores were computed in the same way; the program's version is ignored."""
    return _without_version(a.signature) == _without_version(b.signature)


def _without_version(signature: str) -> str:
    return "|".join(part for part in signature.split("|") if not part.startswith("version:"))
