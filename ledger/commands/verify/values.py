"""The values of a verification: the request, the context shared by all checkpoints, one result."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ledger.checkpoints.levels import Level, levels_of
from ledger.checkpoints.provenance import step_in_name
from ledger.environments.environment import Environment
from ledger.evidence.metrics import Metric
from ledger.evidence.snapshot import Snapshot
from ledger.evidence.text import TextEvidence
from ledger.evidence.training import TrainingLimits
from ledger.findings import Json, Report
from ledger.journal.run import Run
from ledger.workspace import Workspace
from runners.host.verification import ReloadOptions, ReloadResult


@dataclass(frozen=True, slots=True)
class VerifyRequest:
    """The user's request. The environment to reload in is that of a `lockfile` (its name or path), or else
    the `interpreter`'s; `claims` are claimed scores by metric, `run` is the run that the user names.
    """

    checkpoints: tuple[Path, ...]
    interpreter: Path = Path(sys.executable)
    lockfile: str | None = None
    options: ReloadOptions = field(default_factory=ReloadOptions)
    claims: Mapping[str, float] = field(default_factory=dict)
    run: str | None = None


@dataclass(frozen=True, slots=True)
class VerificationContext:
    """What is the same for all checkpoints that are verified together. Without a workspace, no journal.

    `verdicts`: earlier ones, as the journal has them. `health` None: the training is followed while it runs,
    so that its log need not be read here.
    """

    workspace: Workspace | None
    environment: Environment
    options: ReloadOptions = field(default_factory=ReloadOptions)
    claims: Mapping[str, float] = field(default_factory=dict)
    runs: tuple[Run, ...] = ()
    run: Run | None = None
    verdicts: tuple[Mapping[str, Json], ...] = ()
    health: TrainingLimits | None = field(default_factory=TrainingLimits)


@dataclass(frozen=True, slots=True)
class NextCommand:
    """A command line to try after a failure, and what it shows."""

    command: str
    why: str


@dataclass(frozen=True, slots=True)
class VerificationResult:
    """One verified checkpoint. `memory` and `reloaded` are BLEU over the same lines, if it has any.

    `files` is the digest over the files that were verified; None where they could not be read. `run` is the
    recorded run that saved it, `entry` the id of the journal's entry, `marked` whether a mark was written,
    `next` what to try after a failure.
    """

    checkpoint: Path
    report: Report
    result: ReloadResult
    files: str | None = None
    text: TextEvidence | None = None
    run: Run | None = None
    entry: str | None = None
    marked: bool = False
    next: tuple[NextCommand, ...] = ()

    @property
    def levels(self) -> tuple[Level, ...]:
        """What the verdict rests on."""
        return levels_of(self.report)

    @property
    def step(self) -> int | None:
        """The step in the evidence, or else in the folder's name."""
        return self.result.expected.origin.step or step_in_name(self.checkpoint)

    @property
    def memory(self) -> Metric | None:
        """BLEU of the model in the training process."""
        return _bleu(self.result.expected)

    @property
    def reloaded(self) -> Metric | None:
        """BLEU of the reloaded model."""
        return _bleu(self.result.actual)


def _bleu(snapshot: Snapshot) -> Metric | None:
    return snapshot.sample.bleu if snapshot.sample else None
