"""Evidence on scores: the scores of an output as sacrebleu computed them, and their limits."""

from dataclasses import dataclass
from typing import ClassVar

from ledger.evidence import Slice
from ledger.evidence.metrics import Metric


@dataclass(frozen=True, slots=True)
class ScoreLimits(Slice):
    """Expected of a score. BLEU, chrF++ and COMET times 100 are 0-100; the ratios are output tokens per
    reference token.
    """

    min_bleu: float | None = None
    min_chrf: float | None = None
    min_comet: float | None = None
    min_token_ratio: float = 0.7
    max_token_ratio: float = 1.5


@dataclass(frozen=True, slots=True)
class Scores(Slice):
    """sacrebleu's scores of one output against its references; tokens are those of BLEU's tokenizer."""

    NAME: ClassVar = "scores"
    MISSING: ClassVar = "no reference was given"

    bleu: Metric
    chrf: Metric
    brevity_penalty: float
    output_tokens: int
    reference_tokens: int
    lines: int


@dataclass(frozen=True, slots=True)
class Comet(Slice):
    """COMET of one output: the mean over its lines, times 100; the signature names model and digest."""

    NAME: ClassVar = "comet"
    MISSING: ClassVar = "COMET was not asked for"

    metric: Metric
    lines: int


@dataclass(frozen=True, slots=True)
class GivenTexts(Slice):
    """How many of `lines` lines are the same in two of the given files; None where one of them is not given.

    `blank_reference` counts the lines without any reference. `tabs` and `tokenized` (a space before the full
    stop at the end) count lines of the reference and of the output.
    """

    NAME: ClassVar = "texts"
    MISSING: ClassVar = "no reference was given"

    lines: int
    blank_reference: int | None = None
    reference_is_source: int | None = None
    output_is_source: int | None = None
    output_is_reference: int | None = None
    tabs: tuple[int, int] = (0, 0)
    tokenized: tuple[int, int] = (0, 0)
