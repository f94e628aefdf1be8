"""When a score has collapsed: pure functions of this family.

A verification translates few lines, 32 unless asked for more. On real translations 32 random lines tell
BLEU 22 from 1 with an error below 0.01%, while a drop of one point needs 3,000 to 5,000 lines. So a sample
claims collapse and nothing finer. Below a third is far from what rounding does (a half-trained bfloat16 model
scored 39.4 in training and 46.1 reloaded), and above what broken reloads leave (0.0 to 1.3 of 100).
"""

from ledger.evidence.metrics import Metric

SHARE = 1 / 3
# Below it there is nothing that could collapse: an early save of a healthy training scores 0 to 5.
WORTH = 5.0
# Fewer lines than this claim nothing for certain: the finding is a warning then.
LINES = 32


def collapsed(before: float, after: float) -> bool:
    """Whether `after` is a collapse of `before`, both in points of 100."""
    return before >= WORTH and after < before * SHARE


def points(score: Metric) -> float:
    """A score in points of 100, whatever scale it is on."""
    low, high = score.scale
    return 100 * (score.value - low) / (high - low)


def same_measure(a: Metric, b: Metric) -> bool:
    """Whether two scores were computed alike; the version of the program does not count."""
    return _without_version(a.signature) == _without_version(b.signature)


def _without_version(signature: str) -> str:
    return "|".join(part for part in signature.split("|") if not part.startswith("version:"))
