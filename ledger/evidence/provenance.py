"""Evidence on where a checkpoint comes from, and on the scores that are claimed of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ledger.evidence import Slice
from ledger.evidence.metrics import Metric


@dataclass(frozen=True, slots=True)
class Origin(Slice):
    """Where a checkpoint says it comes from, or where its run says its checkpoints are.

    `step` is global_step as the evidence of the save has it, `folder_step` the one in the folder's name,
    `state_step` the one in trainer_state.json; `unreadable` says why that file could not be read. Times are
    UTC ISO 8601. `environment` is the digest; `versions` the packages that matter for a reload (torch,
    transformers, tokenizers, safetensors, python).
    """

    NAME: ClassVar = "lineage"
    MISSING: ClassVar = "the run of the checkpoint is not on the record"

    run: str | None = None
    step: int | None = None
    folder_step: int | None = None
    state_step: int | None = None
    last_step: int | None = None
    started: str | None = None
    written: str | None = None
    tokenizer_digest: str | None = None
    environment: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    unreadable: str | None = None


@dataclass(frozen=True, slots=True)
class MetricDirection(Slice):
    """Expected of a best checkpoint: which way its metric improves, as far as the training's own settings say
    so (`greater_is_better`); None where they are not known."""

    greater_is_better: bool | None = None


@dataclass(frozen=True, slots=True)
class BestCheckpoint(Slice):
    """The checkpoint that trainer_state.json calls the best: its `name`, its metric as logged (`eval_ter`),
    the value, and all that were logged for this metric, by step; perhaps none that are finite."""

    NAME: ClassVar = "best checkpoint"
    MISSING: ClassVar = "trainer_state.json names no best checkpoint"

    name: str
    metric: str
    value: float
    scores: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class ScoreClaim:
    """A score that somebody states of a checkpoint: `value` as stated, `source` is where (a file, a flag)."""

    metric: str
    value: float
    source: str
    signature: str | None = None


@dataclass(frozen=True, slots=True)
class ScoreClaims(Slice):
    """All that is claimed of a checkpoint, and what the same pipeline recorded before (0-100 for BLEU)."""

    claims: tuple[ScoreClaim, ...] = ()
    earlier: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Measured(Slice):
    """The scores that were measured of a checkpoint, by name (`bleu`), over so many lines; perhaps none."""

    NAME: ClassVar = "claims"
    MISSING: ClassVar = "no score is claimed for the checkpoint"

    scores: Mapping[str, Metric] = field(default_factory=dict)
    lines: int = 0
