"""Evidence on identity: what makes two runs the same, and the earlier runs to compare with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ledger.evidence import Slice
from ledger.findings import Json


@dataclass(frozen=True, slots=True)
class RunIdentity(Slice):
    """What makes two runs "the same": name, inputs and output.

    `inputs` is the digest over spec and data, `spec` the resolved content it covers (without title, notes
    and output path); `output` maps an algorithm to a digest, empty before the run.
    """

    NAME: ClassVar = "identity"
    MISSING: ClassVar = "no run to compare"

    run: str
    experiment: str
    inputs: str
    spec: Mapping[str, Json]
    environment: str | None = None
    output: Mapping[str, str] = field(default_factory=dict)
    time: str = ""


@dataclass(frozen=True, slots=True)
class History(Slice):
    """Every earlier finished run that an identity is compared with, oldest first."""

    runs: Sequence[RunIdentity] = ()


@dataclass(frozen=True, slots=True)
class TrainingIdentity(Slice):
    """How a training began: its first losses as (step, loss), and the settings that are stated for it."""

    NAME: ClassVar = "training identity"
    MISSING: ClassVar = "no training to compare"

    run: str
    experiment: str
    losses: Sequence[tuple[int, float]]
    settings: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrainingHistory(Slice):
    """Every earlier training to compare with, oldest first."""

    trainings: Sequence[TrainingIdentity] = ()
