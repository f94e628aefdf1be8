"""Traces: what a run left behind that a repetition of it can be held against.

Plain values, the same shape for the run and for its repetition. Collecting them is in
`ledger.commands.reproduce_traces`, judging in `guards.reproduction`.
"""

from dataclasses import dataclass, field
from typing import ClassVar

from ledger.evidence import Slice
from ledger.evidence.metrics import Metric


@dataclass(frozen=True, slots=True)
class Device:
    """What the numbers were computed with; None where the record does not tell."""

    dtype: str | None = None
    device: str | None = None

    def differs_from(self, other: "Device") -> str:
        """How another one rounds differently, in words; empty where it does not, as far as is known."""
        pairs = ((self.dtype, other.dtype, "data type"), (self.device, other.device, "device"))
        told = [f"{what} {b}, {a} then" for a, b, what in pairs if a is not None and b is not None and a != b]
        return ", ".join(told)


@dataclass(frozen=True, slots=True)
class OutputTrace(Slice):
    """An output text. `sha256` is of the file; `lines` is None where it is not to be had, `unseen` says why.

    `source` is what was translated, to be shown beside a line, empty where it is not at hand.
    """

    NAME: ClassVar = "output_trace"
    MISSING: ClassVar = "there is no output to compare"

    run: str
    sha256: str
    lines: tuple[str, ...] | None = None
    unseen: str = ""
    source: tuple[str, ...] = ()
    bleu: Metric | None = None
    device: Device = field(default_factory=Device)


@dataclass(frozen=True, slots=True)
class SaveTrace:
    """One checkpoint: a digest over its tensors' digests, and BLEU (0-100) in memory and reloaded."""

    step: int
    tensors: str | None = None
    memory: float | None = None
    reloaded: float | None = None


@dataclass(frozen=True, slots=True)
class TrainingTrace(Slice):
    """A training: the loss of each step that was kept, in order, and every checkpoint, by step."""

    NAME: ClassVar = "training_trace"
    MISSING: ClassVar = "it is no training"

    run: str
    losses: tuple[tuple[int, float], ...] = ()
    saves: tuple[SaveTrace, ...] = ()
    device: Device = field(default_factory=Device)


@dataclass(frozen=True, slots=True)
class ExitTrace(Slice):
    """How a command ended, by the shell's exit code."""

    NAME: ClassVar = "exit_trace"
    MISSING: ClassVar = "it is no recorded command"

    run: str
    exit_code: int
