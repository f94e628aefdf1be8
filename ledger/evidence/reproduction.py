"""Traces: the results of a run that are compared with those of a repetition.

Plain values of one shape for the run and for its repetition. `ledger.commands.reproduce` collects them,
`guards.reproduction` compares them.
"""

from dataclasses import dataclass, field
from typing import ClassVar

from ledger.evidence import Slice
from ledger.evidence.metrics import Metric


@dataclass(frozen=True, slots=True)
class Device:
    """The data type and device of a computation; None if they were not recorded."""

    dtype: str | None = None
    device: str | None = None

    def differs_from(self, other: "Device") -> str:
        """The differences that affect rounding, in words; empty if none are known."""
        pairs = ((self.dtype, other.dtype, "data type"), (self.device, other.device, "device"))
        return ", ".join(
            f"{what} {b}, {a} in that run"
            for a, b, what in pairs
            if a is not None and b is not None and a != b
        )


@dataclass(frozen=True, slots=True)
class OutputTrace(Slice):
    """An output text. `sha256` is of the file; `lines` is None if it is not available, `unseen` says why.

    `source` is the translated text, to be shown next to a line, or empty if it is not available.
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
    """A training: the loss of each recorded step, in order, and every checkpoint, by step."""

    NAME: ClassVar = "training_trace"
    MISSING: ClassVar = "the run is not a training"

    run: str
    losses: tuple[tuple[int, float], ...] = ()
    saves: tuple[SaveTrace, ...] = ()
    device: Device = field(default_factory=Device)


@dataclass(frozen=True, slots=True)
class ExitTrace(Slice):
    """The exit code of a command, as the shell reports it."""

    NAME: ClassVar = "exit_trace"
    MISSING: ClassVar = "the run is not a recorded command"

    run: str
    exit_code: int
