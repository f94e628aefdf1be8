"""The model family, inferred from a model's name. A table; nothing is fetched."""

import re
from typing import Literal

Family = Literal["nllb", "mbart50", "mbart", "m2m100", "marian", "t5"]

# Matched against the last part of the name, first match wins: mBART-50 comes before mBART.
_PATTERNS: tuple[tuple[str, Family], ...] = (
    (r"nllb", "nllb"),
    (r"mbart-?(large-?)?50", "mbart50"),
    (r"mbart", "mbart"),
    (r"m2m[-_]?100", "m2m100"),
    (r"opus-mt|marian", "marian"),
    (r"(?<![a-z])(m|um|flan-)?t5(?![a-z])", "t5"),
)


def infer_family(name: str) -> Family | None:
    """The family of the model called `name` (a hub name or a folder), None where the name does not reveal it.

    >>> infer_family("facebook/mbart-large-50-many-to-many-mmt"), infer_family("facebook/mbart-large-cc25")
    ('mbart50', 'mbart')
    >>> infer_family("models/best") is None
    True
    """
    last = re.split(r"[/\\]", name.strip().rstrip("/\\"))[-1].lower()
    return next((family for pattern, family in _PATTERNS if re.search(pattern, last)), None)
