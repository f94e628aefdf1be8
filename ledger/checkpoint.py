"""Checkpoint evidence: what a model was when it was saved, what it is once reloaded, and where it came from.

The training process writes a `Snapshot` beside the weights (`save_evidence` in the worker); a fresh process
reloads the checkpoint and collects another. Both sides have one shape, so that guards compare like with like.
Plain values and their JSON only; collecting is in `runners.worker`, judging in `guards.checkpoint`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ledger.evidence import Metric
from ledger.findings import Json

# Everything that the ledger keeps in a checkpoint is in one folder of it, and travels with it.
FOLDER = "ledger"
EVIDENCE = "evidence.json"
PROBE = "probe.safetensors"
VERIFIED = "verified.json"


def evidence_path(checkpoint: Path) -> Path:
    """Where the evidence of the save lies."""
    return checkpoint / FOLDER / EVIDENCE


def verified_path(checkpoint: Path) -> Path:
    """The mark of a verified checkpoint, which is written last of all."""
    return checkpoint / FOLDER / VERIFIED


@dataclass(frozen=True, slots=True)
class CheckpointFiles:
    """What lies in the folder, seen without loading anything.

    `problems`: what is incomplete or truncated, by file; `refusals`: what will not be opened (a pickle that
    `weights_only` does not accept, remote code, a link out of the folder), by file.
    """

    path: str
    format: str
    bytes: int
    problems: Mapping[str, str] = field(default_factory=dict)
    refusals: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Weights:
    """The tensors of a model: digest, dtype and shape by name, one entry for each name in the state dict.

    `dtypes` are those that the digests are over: the narrower of the file's and the model's, since a bfloat16
    file may load as float32. `ties` are the groups of names that share storage. `missing`, `unexpected` and
    `mismatched` are what from_pretrained reported; empty at save time.
    """

    digests: Mapping[str, str]
    dtypes: Mapping[str, str]
    shapes: Mapping[str, tuple[int, ...]]
    ties: tuple[tuple[str, ...], ...] = ()
    not_finite: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    mismatched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Forward:
    """One forward pass over the fixed probe batch, in evaluation mode.

    `logits_digest` is over the float32 bytes. `max_difference` is the largest absolute difference to the
    logits that were kept at save time; None at save time itself, or where none were kept.
    """

    loss: float
    logits_digest: str
    dtype: str
    device: str
    max_difference: float | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """Lines that the model translated greedily, without settings that mask a loop.

    `settings` are the generation parameters that were set; `bleu` is against `reference`, where there is one.
    """

    source: tuple[str, ...]
    output: tuple[str, ...]
    settings: Mapping[str, Json]
    reference: tuple[str, ...] = ()
    language: str | None = None
    bleu: Metric | None = None


@dataclass(frozen=True, slots=True)
class TokenizerFacts:
    """How a tokenizer behaves: ids of fixed sentences, special ids by role, language codes to ids."""

    name: str
    size: int
    ids: Mapping[str, tuple[int, ...]]
    special: Mapping[str, int | None]
    codes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Effective:
    """The configuration that really holds, resolved, as JSON: model, generation, tokenizer, training."""

    model: Mapping[str, Json]
    generation: Mapping[str, Json]
    tokenizer: Mapping[str, Json] = field(default_factory=dict)
    training: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a checkpoint says it comes from, or where its run says its checkpoints are.

    `step` is global_step as the evidence of the save has it, `folder_step` the one in the folder's name,
    `state_step` the one in trainer_state.json; `unreadable` says why that file could not be read. Times are
    UTC ISO 8601. `environment` is the digest; `versions` the packages that matter for a reload (torch,
    transformers, tokenizers, safetensors, python).
    """

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
class Claim:
    """A score that somebody states of a checkpoint: `value` as stated, `source` is where (a file, a flag)."""

    metric: str
    value: float
    source: str
    signature: str | None = None


@dataclass(frozen=True, slots=True)
class Claims:
    """All that is claimed of a checkpoint, and what the same pipeline recorded before (0-100 for BLEU)."""

    claims: tuple[Claim, ...] = ()
    earlier: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All evidence of one model at one moment. A part is None where it could not be had; `unseen` says why,
    by the name of the part.

    `last_good`, on the expected side only, is the BLEU that the newest verified save had when reloaded.
    """

    weights: Weights | None = None
    forward: Forward | None = None
    sample: Sample | None = None
    tokenizer: TokenizerFacts | None = None
    effective: Effective | None = None
    origin: Origin = field(default_factory=Origin)
    unseen: Mapping[str, str] = field(default_factory=dict)
    last_good: Metric | None = None
