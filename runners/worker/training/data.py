"""Parallel text as a trainer reads it: one item a line, with the token ids of source and target."""

from array import array
from collections.abc import Sequence
from typing import Any

from runners.worker.messages import TextFiles, Train
from runners.worker.models import families, loading
from runners.worker.models.families import Family
from runners.worker.protocol import Events

PART = 2000  # lines encoded at once


class Lines:
    """A dataset of `{"input_ids", "labels"}`. Ids are stored as 32-bit integers: half a million lines fit."""

    def __init__(self) -> None:
        self._sources: list[array[int]] = []
        self._targets: list[array[int]] = []

    def add(self, source: Sequence[int], target: Sequence[int]) -> None:
        """Add one line."""
        self._sources.append(array("i", source))
        self._targets.append(array("i", target))

    def __len__(self) -> int:
        return len(self._sources)

    def __getitem__(self, number: int) -> dict[str, list[int]]:
        return {"input_ids": list(self._sources[number]), "labels": list(self._targets[number])}


def read_pair(files: TextFiles) -> tuple[list[str], list[str]]:
    """The lines of source and reference."""
    return loading.read_lines(files.source, files.lines), loading.read_lines(files.reference, files.lines)


def encode(
    job: Train, family: Family, tokenizer: Any, text: tuple[list[str], list[str]], events: Events
) -> Lines:
    """The text as token ids, cut at the job's lengths. Pairs with a blank side are left out."""
    pairs = [pair for pair in zip(*text, strict=True) if pair[0].strip() and pair[1].strip()]
    found = Lines()
    if hasattr(tokenizer, "tgt_lang") and job.target_code:
        tokenizer.tgt_lang = job.target_code
    for at in range(0, len(pairs), PART):
        sources, targets = ([pair[side] for pair in pairs[at : at + PART]] for side in (0, 1))
        rows = families.encode(
            family, tokenizer, sources, job.source_code, job.target_code, job.max_source_length
        )
        wanted = tokenizer(text_target=targets, truncation=True, max_length=job.max_target_length)
        for row, target in zip(rows, wanted["input_ids"], strict=True):
            found.add(row, target)
        events.progress("encoding the text", min(at + PART, len(pairs)), len(pairs))
    return found
