"""What a model is asked at every look: a fixed probe batch, and some lines to translate.

The same questions are put to the model in memory and to the one that was reloaded, so that the answers can be
compared. They travel beside the checkpoint: numbers in `probe.safetensors`, the rest in `evidence.json`.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runners.worker.models import families
from runners.worker.models.families import Family

LINES = 32  # tells BLEU 22 from 1 with an error below 0.01%, and nothing finer
PROBE_ROWS = 4
PROBE_WIDTH = 16  # tokens
PROBE_NUMBERS = 2_500_000  # logits kept at most: 10 MB in float32
NEW_TOKENS = 128  # at most, in the sample
IGNORED = -100  # the label that cross entropy leaves out

# Greedy, and nothing that hides a loop.
GREEDY: Mapping[str, Any] = {
    "num_beams": 1,
    "do_sample": False,
    "repetition_penalty": 1.0,
    "no_repeat_ngram_size": 0,
    "num_return_sequences": 1,
}


@dataclass(frozen=True, slots=True)
class ProbeLanguages:
    """How a tokenizer and a model are told their languages; `name` is the target's for scoring (`ja`).

    `source` and `target` are codes in the family's spelling; None where it has none or the caller knows none.
    """

    source: str | None = None
    target: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class ProbeText:
    """Lines to translate, and their reference, which may be empty.

    `rows`: the token ids of each line as a dataset has them, for a caller who has no text of its own; where
    it is empty the tokenizer encodes `source`.
    """

    source: tuple[str, ...]
    reference: tuple[str, ...] = ()
    rows: tuple[tuple[int, ...], ...] = ()
    labels: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Questions:
    """Everything that is asked. `probe`: input_ids, attention_mask and labels, each of shape (rows, tokens).

    `settings` are generation parameters without the target language, which each tokenizer gives anew.
    """

    text: ProbeText
    languages: ProbeLanguages
    probe: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=lambda: GREEDY)


def draw(text: ProbeText, count: int = LINES, seed: int = 0) -> ProbeText:
    """`count` lines drawn at random, in their order, or all where there are no more; no blank ones."""
    if text.source:
        filled = [number for number, line in enumerate(text.source) if line.strip()]
    else:
        filled = [number for number, row in enumerate(text.rows) if row]
    chosen = sorted(random.Random(seed).sample(filled, min(count, len(filled))))

    def pick(column: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(column[number] for number in chosen) if column else ()

    return ProbeText(pick(text.source), pick(text.reference), pick(text.rows), pick(text.labels))


def encode_sources(
    text: ProbeText, languages: ProbeLanguages, family: Family | None, tokenizer: Any, limit: int | None
) -> list[list[int]]:
    """Token ids of each line, not padded, cut at `limit`."""
    if text.rows:
        return [list(row) for row in text.rows]
    if family is not None:
        return families.encode(family, tokenizer, text.source, languages.source, languages.target, limit)
    cut = {"truncation": True, "max_length": limit} if limit else {}
    return [list(row) for row in tokenizer(list(text.source), **cut)["input_ids"]]


def encode_labels(
    text: ProbeText, languages: ProbeLanguages, tokenizer: Any, rows: Sequence[list[int]]
) -> list[list[int]]:
    """Token ids of the references; those of the sources where there is none, which does for a probe."""
    if text.labels:
        return [list(row) for row in text.labels]
    if not text.reference:
        return [list(row) for row in rows]
    if languages.target is not None and hasattr(tokenizer, "tgt_lang"):
        tokenizer.tgt_lang = languages.target
    return [list(row) for row in tokenizer(text_target=list(text.reference))["input_ids"]]


def probe_batch(
    rows: Sequence[list[int]], labels: Sequence[list[int]], pad: int, vocabulary: int
) -> dict[str, Any]:
    """The first lines as tensors, cut so that their logits stay below PROBE_NUMBERS."""
    width = max(2, min(PROBE_WIDTH, PROBE_NUMBERS // max(1, vocabulary)))
    count = max(1, min(PROBE_ROWS, PROBE_NUMBERS // (width * max(1, vocabulary))))
    sources = [row[:width] for row in rows[:count]]
    targets = [[token for token in row if token != IGNORED][:width] for row in labels[:count]]
    return {
        "input_ids": padded(sources, pad),
        "attention_mask": padded([[1] * len(row) for row in sources], 0),
        "labels": padded(targets, IGNORED),
    }


def padded(rows: Sequence[Sequence[int]], filler: int) -> Any:
    """A tensor of shape (rows, longest row)."""
    import torch

    width = max(len(row) for row in rows)
    return torch.tensor([[*row, *[filler] * (width - len(row))] for row in rows])


def new_tokens(rows: Sequence[Sequence[int]], positions: int | None) -> int:
    """How many tokens a translation may take: a broken model goes on to the end, which each save pays for."""
    wanted = min(NEW_TOKENS, 2 * max(len(row) for row in rows) + 10)
    return min(wanted, positions - 2) if positions else wanted


def family_of(model: Any, tokenizer: Any) -> Family | None:
    """The family that a loaded model and tokenizer belong to; None for any other kind, or no tokenizer."""
    name = type(tokenizer).__name__.removesuffix("Fast")
    known = [one for one in families.FAMILIES.values() if one.model_type == model.config.model_type]
    return next((one for one in known if one.tokenizer_class == name), None)
