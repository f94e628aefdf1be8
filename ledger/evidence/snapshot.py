"""The state of a model at one moment: tensors, logits, text, tokenizer and configuration.

The training process writes a `Snapshot` next to the weights (`save_evidence` in the worker); a fresh process
reloads the checkpoint and takes another. Both have the same type, so that guards can compare them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ledger.evidence import Slice
from ledger.evidence.metrics import Metric
from ledger.evidence.provenance import Origin
from ledger.findings import Json


@dataclass(frozen=True, slots=True)
class Weights:
    """The tensors of a model: digest, dtype and shape by name, one entry for each name in the state dict.

    `dtypes` are those that the digests are over: the narrower of the file's and the model's, since a bfloat16
    file may load as float32. `ties` are the groups of names that share storage. `missing`, `unexpected` and
    `mismatched` are what from_pretrained reported; empty at save time. `unlike_file` are the tensors that
    have other values than the file stores; None where they were not compared. `mismatched_zeros` are the
    mismatched ones that are zero both in the file and in the model. `zeros` are the matrices that hold
    nothing else.
    """

    digests: Mapping[str, str]
    dtypes: Mapping[str, str]
    shapes: Mapping[str, tuple[int, ...]]
    ties: tuple[tuple[str, ...], ...] = ()
    not_finite: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    mismatched: tuple[str, ...] = ()
    unlike_file: tuple[str, ...] | None = None
    mismatched_zeros: tuple[str, ...] = ()
    zeros: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Forward:
    """One forward pass over the fixed probe batch, in evaluation mode.

    `logits_digest` is over the float32 bytes. `not_finite` says where logits are NaN or infinite; it is empty
    where all are finite. `max_difference` is the largest absolute difference to the
    logits that were stored at save time; None at save time itself, or if none were stored.
    """

    loss: float
    logits_digest: str
    dtype: str
    device: str
    max_difference: float | None = None
    not_finite: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """Lines that the model translated greedily, without settings that hide loops.

    `settings` are the generation parameters that were set; `bleu` is against `reference`, if there is one.
    """

    source: tuple[str, ...]
    output: tuple[str, ...]
    settings: Mapping[str, Json]
    reference: tuple[str, ...] = ()
    language: str | None = None
    bleu: Metric | None = None


@dataclass(frozen=True, slots=True)
class TokenizerFacts:
    """How a tokenizer behaves: ids of fixed sentences, special ids by role, language codes to ids.

    `ids` are without special tokens. `calls` are whole calls in the run's languages, as the model is given
    them, of the fixed sentences and of some lines of the sample. `template` is the chat template. `rows` is
    the number of rows of the model's input embedding. `disagreements`: how the slow and the fast tokenizer
    of the folder differ; None where there are not both.
    """

    name: str
    size: int
    ids: Mapping[str, tuple[int, ...]]
    special: Mapping[str, int | None]
    codes: Mapping[str, int]
    calls: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    template: str | None = None
    rows: int | None = None
    disagreements: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Effective:
    """The effective configuration, resolved, as JSON: model, generation, tokenizer, training."""

    model: Mapping[str, Json]
    generation: Mapping[str, Json]
    tokenizer: Mapping[str, Json] = field(default_factory=dict)
    training: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrainingTrace:
    """What the training process saw around this save; names are of parameters, compared by samples.

    `unmoved`: the `trainable` ones whose values are those of step `since`, an earlier save or the start; None
    where there is none. `not_saved`: the trainable ones that the save leaves out, and whether they moved
    since the start, or since the first save where the start was not seen. `evaluated`: there was an
    evaluation at `step`, with other values than those that were saved in `evaluated_otherwise`, and with the
    generation settings `evaluated_with`. `resumed_without`: what a resumed training needs to be the same one
    and did not find. `losses_before` and `losses_after` the step at which it was `resumed_at`, and the
    learning `rates` just before and after it, are rows of its log.
    """

    step: int
    since: int | None = None
    trainable: tuple[str, ...] = ()
    unmoved: tuple[str, ...] = ()
    not_saved: Mapping[str, bool | None] = field(default_factory=dict)
    evaluated: bool = False
    evaluated_otherwise: tuple[str, ...] = ()
    evaluated_with: Mapping[str, Json] = field(default_factory=dict)
    resumed_without: tuple[str, ...] = ()
    resumed_at: int | None = None
    losses_before: tuple[float, ...] = ()
    losses_after: tuple[float, ...] = ()
    rates: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot(Slice):
    """All evidence of one model at one moment. A part is None if it is not available; `unseen` says why, by
    the name of the part. `trace` belongs to a save alone.

    On the expected side only: `last_good` is the BLEU of the newest verified checkpoint after its reload;
    `owed` says that the run stores evidence of every checkpoint, so that a missing part is not a pass.
    """

    NAME: ClassVar = "snapshot"
    MISSING: ClassVar = "the checkpoint was not reloaded"

    weights: Weights | None = None
    forward: Forward | None = None
    sample: Sample | None = None
    tokenizer: TokenizerFacts | None = None
    effective: Effective | None = None
    trace: TrainingTrace | None = None
    origin: Origin = field(default_factory=Origin)
    unseen: Mapping[str, str] = field(default_factory=dict)
    last_good: Metric | None = None
    owed: bool = False
