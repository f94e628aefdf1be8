"""The inputs that evidence is captured with: a fixed probe batch, and some lines to translate.

The model in memory and the reloaded one get the same inputs, so that their outputs can be compared. They are
stored with the checkpoint: tensors in `probe.safetensors`, the rest in `evidence.json`.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runners.worker.models import families
from runners.worker.models.families import Family

LINES = 32  # enough to distinguish BLEU 22 from 1 with an error below 0.01%, not for finer differences
PROBE_ROWS = 4
PROBE_WIDTH = 16  # tokens
PROBE_NUMBERS = 2_500_000  # most logits that are stored: 10 MB in float32
NEW_TOKENS = 128  # at most, in the sample
IGNORED = -100  # the label that cross entropy leaves out

# Greedy, without settings that hide repetition.
GREEDY: Mapping[str, Any] = {
    "num_beams": 1,
    "do_sample": False,
    "repetition_penalty": 1.0,
    "no_repeat_ngram_size": 0,
    "num_return_sequences": 1,
}


@dataclass(frozen=True, slots=True)
class ProbeLanguages:
    """The languages of a probe; `name` is the target's for scoring (`ja`).

    `source` and `target` are codes in the family's spelling; None where it has none or they are not known.
    """

    source: str | None = None
    target: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class ProbeText:
    """Lines to translate, and their references, which may be empty.

    `rows`: the token ids of each line, from a dataset without text; where it is empty the tokenizer encodes
    `source`. `labels`: token ids of the references.
    """

    source: tuple[str, ...]
    reference: tuple[str, ...] = ()
    rows: tuple[tuple[int, ...], ...] = ()
    labels: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class ProbeInputs:
    """All inputs. `probe`: input_ids, attention_mask and labels, each of shape (rows, tokens).

    `settings` are generation parameters without the target language, which is looked up in each tokenizer.
    """

    text: ProbeText
    languages: ProbeLanguages
    probe: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=lambda: GREEDY)


def draw(text: ProbeText, count: int = LINES, seed: int = 0) -> ProbeText:
    """Up to `count` lines that are not blank, drawn at random and in their order."""
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
    """Token ids of the references; those of the sources where there are none, which suffices for a probe."""
    if text.labels:
        return [list(row) for row in text.labels]
    if not text.reference:
        return [list(row) for row in rows]
    if languages.target is not None and hasattr(tokenizer, "tgt_lang"):
        tokenizer.tgt_lang = languages.target
    return [list(row) for row in tokenizer(text_target=list(text.reference))["input_ids"]]


def some_ids(model: Any) -> list[list[int]]:
    """One row of ids that every vocabulary has; the first ones are usually special tokens."""
    return [[number for number in range(4, 4 + PROBE_WIDTH) if number < vocabulary_size(model)]]


def vocabulary_size(model: Any) -> int:
    """The number of tokens that the model writes: of the decoder's part, where the config has several."""
    return int(model.config.get_text_config(decoder=True).vocab_size)


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
    """The most tokens of a translation: a broken model generates all of them, at every checkpoint."""
    wanted = min(NEW_TOKENS, 2 * max(len(row) for row in rows) + 10)
    return min(wanted, positions - 2) if positions else wanted


def family_of(model: Any, tokenizer: Any) -> Family | None:
    """The family that a loaded model and tokenizer belong to; None for any other kind, or no tokenizer."""
    name = type(tokenizer).__name__.removesuffix("Fast")
    known = [one for one in families.FAMILIES.values() if one.model_type == model.config.model_type]
    return next((one for one in known if one.tokenizer_class == name), None)
