"""Evidence: what was expected and what is there, in the slices that guards read.

One class serves both sides. A slice that nobody could observe holds an `Unobserved` with the reason,
so that "could not check" travels as a value and ends as a skip, never as a pass.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ledger.evidence.metrics import FamilyLimits, Metric, MetricFamily
from ledger.findings import Json

# Slices that have modules of their own are not imported: every command that guards anything passes here.
if TYPE_CHECKING:
    from ledger.evidence import gate
    from ledger.evidence.checkpoint import CheckpointFiles, Origin, ScoreClaims, Snapshot
    from ledger.evidence.environment import EnvironmentSide
    from ledger.evidence.imported_claims import Consistency, WrittenLog
    from ledger.evidence.reproduction import ExitTrace, OutputTrace, TrainingTrace
    from ledger.evidence.training import (
        DeviceMemory,
        EffectiveSettings,
        MemoryNeed,
        TrainingLimits,
        TrainingPlan,
        TrainingSeries,
    )


@dataclass(frozen=True, slots=True)
class Unobserved:
    """Why a slice is not there. `required`: the command was asked for it, so its lack is no pass."""

    reason: str
    required: bool = False


# --- text -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LineSample:
    """One line that a text guard flagged. `number` counts from 1."""

    number: int
    output: str
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Flagged:
    """The lines one text rule flagged: how many, and the worst few."""

    count: int
    worst: tuple[LineSample, ...] = ()


@dataclass(frozen=True, slots=True)
class TextLimits:
    """Expected of a text: the highest rate (0-1) of flagged lines that is allowed, by guard code."""

    max_rate: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class TextEvidence:
    """What one pass over an output saw. A code that is missing from `flagged` could not be looked at;
    `unseen` says why, by code."""

    lines: int
    flagged: Mapping[str, Flagged]
    unseen: Mapping[str, str] = field(default_factory=dict)


# --- scores -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ScoreLimits:
    """Expected of a score. BLEU and chrF++ are 0-100, the ratios are output tokens per reference token."""

    min_bleu: float | None = None
    min_chrf: float | None = None
    min_token_ratio: float = 0.7
    max_token_ratio: float = 1.5


@dataclass(frozen=True, slots=True)
class Scores:
    """What sacrebleu measured on one output against one reference; token counts are of BLEU's tokenizer."""

    bleu: Metric
    chrf: Metric
    brevity_penalty: float
    output_tokens: int
    reference_tokens: int
    lines: int


# --- identity ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """What makes two runs "the same": who ran, what went in, what came out.

    `inputs` is the digest over spec and data, `spec` the resolved content it covers (title, notes and
    output path left out); `output` maps an algorithm to a digest, empty before the run.
    """

    run: str
    experiment: str
    inputs: str
    spec: Mapping[str, Json]
    environment: str | None = None
    output: Mapping[str, str] = field(default_factory=dict)
    time: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """Every earlier finished run that an identity can be held against, oldest first."""

    runs: Sequence[RunIdentity] = ()


# --- preflight --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LanguageCodes:
    """The codes that a spec asks for; None where the family has none."""

    source: str | None
    target: str | None


@dataclass(frozen=True, slots=True)
class CodeProbe:
    """What a tokenizer makes of one code. `round_trips`: a probe sentence tagged with the code comes back."""

    code: str
    known: bool
    token_id: int | None
    is_unk: bool
    round_trips: bool | None = None


@dataclass(frozen=True, slots=True)
class TokenizerProbe:
    """What the experiment's tokenizer says of the spec's codes, by role (`source`, `target`).

    `uncoded` are the roles that its family tells otherwise than by a code, such as by words before the text.
    """

    tokenizer: str
    known_codes: tuple[str, ...]
    codes: Mapping[str, CodeProbe]
    uncoded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CachedModel:
    """One model in the Hugging Face cache, with the bytes that deleting it would free."""

    name: str
    size_bytes: int
    last_used: str


@dataclass(frozen=True, slots=True)
class DiskNeed:
    """Bytes that a run will write (model download and outputs), and how that was estimated."""

    needed_bytes: int
    how: str


@dataclass(frozen=True, slots=True)
class DiskSpace:
    """What is free for this user at `path`: the file system's free space, or the quota's rest if smaller."""

    path: str
    free_bytes: int
    quota_free_bytes: int | None = None
    freeable: tuple[CachedModel, ...] = ()


@dataclass(frozen=True, slots=True)
class GitExpectation:
    """`clean`: the spec refuses to run with uncommitted changes."""

    clean: bool


@dataclass(frozen=True, slots=True)
class GitState:
    """The working tree: commit, branch, and the changed paths, the journal left out."""

    commit: str | None
    branch: str | None
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelUse:
    """What a spec wants of a model."""

    task: str
    model: str


@dataclass(frozen=True, slots=True)
class ModelKind:
    """What is known of a model by its name: `pretrained_only` models were never taught to translate."""

    model: str
    pretrained_only: bool
    why: str = ""


# --- environment ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pins:
    """Expected packages: name (normalized) to exact version, as one lockfile pins them."""

    lockfile: str
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Installed:
    """Packages found: name (normalized) to version; `altered` names those whose files or origin are not
    the wheel's own (editable, direct URL)."""

    python: str
    versions: Mapping[str, str]
    altered: tuple[str, ...] = ()


# --- journal ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One line of a journal as it stands. `number` counts from 1.

    `id` is the one that the line states, `digest` the one that its content amounts to, both empty where
    the line is no entry; `problem` then says why not. `canonical`: written as RFC 8785 has it.
    """

    number: int
    id: str
    digest: str
    canonical: bool
    parents: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class TornTail:
    """What a line that was never finished holds: its size, and whether a newline ends it all the same
    (a killed writer leaves none; `whole`: only the newline is missing)."""

    number: int
    size_bytes: int
    ended: bool
    whole: bool = False


@dataclass(frozen=True, slots=True)
class JournalHeads:
    """Expected of a journal: the entries that must be there, each with who remembers it.

    `elsewhere` maps an id that is not in the file to the git ref whose journal has it, for the ids that
    the current branch never had: another branch's entries are not lost. `merged_twice` holds the ids that
    a git merge doubled.
    """

    ids: Mapping[str, str]
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    merged_twice: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class JournalLines:
    """The complete lines of one journal in file order, and what follows them if that is no line."""

    lines: tuple[JournalLine, ...]
    torn_tail: TornTail | None = None


# --- checkpoints ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SoundFiles:
    """Expected of every checkpoint's files: all there and whole, and none that would have to be executed."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The scores that were measured of a checkpoint, by name (`bleu`), over so many lines; perhaps none."""

    scores: Mapping[str, Metric] = field(default_factory=dict)
    lines: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One side of an inspection. Each slice is what its guards read, or why it is not there."""

    text: TextLimits | TextEvidence | Unobserved = Unobserved("no output text was given")
    scores: ScoreLimits | Scores | Unobserved = Unobserved("no reference was given")
    identity: History | RunIdentity | Unobserved = Unobserved("no run to compare")
    languages: LanguageCodes | TokenizerProbe | Unobserved = Unobserved("the tokenizer was not loaded")
    disk: DiskNeed | DiskSpace | Unobserved = Unobserved("free space was not read")
    git: GitExpectation | GitState | Unobserved = Unobserved("not a git repository")
    model: ModelUse | ModelKind | Unobserved = Unobserved("no model is named")
    packages: Pins | Installed | Unobserved = Unobserved("no lockfile is named")
    # Both sides of a comparison of environments.
    surroundings: "EnvironmentSide | Unobserved" = Unobserved("no environments were compared")
    journal: JournalHeads | JournalLines | Unobserved = Unobserved("no journal was read")
    files: "SoundFiles | CheckpointFiles | Unobserved" = Unobserved("no checkpoint was given")
    # Expected: at save time (a Snapshot whose parts are None where nothing was kept); actual: reloaded.
    snapshot: "Snapshot | Unobserved" = Unobserved("the checkpoint was not reloaded")
    # Expected: what the record has on the run, Origin() where it has nothing; actual: the checkpoint's own.
    lineage: "Origin | Unobserved" = Unobserved("the run of the checkpoint is not on the record")
    claims: "ScoreClaims | Measured | Unobserved" = Unobserved("no score is claimed of the checkpoint")
    training: "TrainingLimits | TrainingSeries | Unobserved" = Unobserved("no training was watched")
    # Expected: the parent run's plan, or the last good run's settings; actual: those of the training at hand.
    plan: "TrainingPlan | Unobserved" = Unobserved("no parent run is on the record")
    settings: "EffectiveSettings | Unobserved" = Unobserved("no good run is on the record")
    memory: "MemoryNeed | DeviceMemory | Unobserved" = Unobserved("no training is planned on a device")
    family: FamilyLimits | MetricFamily | Unobserved = Unobserved("no family of metrics was measured")
    # Expected: what a run left; actual: what its repetition left.
    output_trace: "OutputTrace | Unobserved" = Unobserved("there is no output to compare")
    training_trace: "TrainingTrace | Unobserved" = Unobserved("it is no training")
    exit_trace: "ExitTrace | Unobserved" = Unobserved("it is no recorded command")
    past: "gate.JournalText | Unobserved" = Unobserved("no base to hold the journal against")
    specs: "gate.ChangedSpecs | gate.SpecRuns | Unobserved" = Unobserved("no base to hold specs against")
    lock_changes: "gate.LockChanges | gate.Rehearsals | Unobserved" = Unobserved("no base's lockfiles")
    score_changes: "gate.ScoreLimit | gate.ScoreChanges | Unobserved" = Unobserved("no base's scores")
    open_findings: "gate.KnownRuns | gate.OpenFindings | Unobserved" = Unobserved("the journal was not read")
    written_numbers: "gate.Numbers | gate.DocumentClaims | Unobserved" = Unobserved("no documents were read")
    log: "Consistency | WrittenLog | Unobserved" = Unobserved("no written log was read")
