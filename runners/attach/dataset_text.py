"""The probe lines of an attached training: rows of its own data set, read without side effects."""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from runners.attach.channel import Channel
from runners.worker.evidence.probe_inputs import IGNORED, LINES, ProbeLanguages, ProbeText, family_of
from runners.worker.evidence.recorder import EvidenceRecorder
from runners.worker.evidence.snapshot import SENTENCES
from runners.worker.evidence.trace import TrainingTrace
from runners.worker.messages import Skipped
from runners.worker.models.checkpoint_languages import Wish, choose_target

NO_TOKENIZER = (
    "no tokenizer was found in this training, so no text is compared: hand it to the Trainer"
    " (processing_class), or keep it in the module, its data set or collate_fn"
)
TRIES = 4 * LINES  # rows that are read to find LINES usable ones
SHARE = 0.1  # of the letters: in a script that identifies the language


def make_recorder(
    channel: Channel,
    loader: Any,
    tokenizer: Any,
    model: Any,
    training: Mapping[str, Any] | None = None,
    *,
    trace: TrainingTrace | None = None,
) -> EvidenceRecorder:
    """A recorder for this model, with rows of the loader's data set. A missing tokenizer is reported."""
    if tokenizer is None:
        channel.send(Skipped(NO_TOKENIZER))
    text = text_of(loader, tokenizer, seq2seq=bool(model.config.is_encoder_decoder))
    return EvidenceRecorder(
        tokenizer,
        text,
        languages_of(model, tokenizer, text),
        run=channel.run,
        environment=channel.environment,
        training=training,
        trace=trace,
        on_failure=channel.log_failure,
    )


def text_of(loader: Any, tokenizer: Any, *, seq2seq: bool) -> ProbeText:
    """Rows of the loader's data set as token ids, with their text where there is a tokenizer.

    Fixed sentences where the data set has no rows to choose from (a stream, or no token ids in it). A model
    that is not `seq2seq` continues its rows, so its labels are not read.
    """
    with preserved_random_states():
        picked = list(_picked(getattr(loader, "dataset", None)))
    if not picked:
        return ProbeText(SENTENCES if tokenizer is not None else ())
    rows = tuple(row for row, _ in picked)
    labels = tuple(label for _, label in picked) if seq2seq and all(label for _, label in picked) else ()
    if tokenizer is None:
        return ProbeText((), (), rows, labels)
    source = tuple(tokenizer.batch_decode([list(row) for row in rows], skip_special_tokens=True))
    reference = tuple(tokenizer.batch_decode([list(row) for row in labels], skip_special_tokens=True))
    return ProbeText(source, reference, rows, labels)


def languages_of(model: Any, tokenizer: Any, text: ProbeText) -> ProbeLanguages:
    """The codes that the script's tokenizer and model have, and the language that the text is scored in.

    That is Japanese or Korean where the references are in that script, else the target's own language.
    """
    family = None if tokenizer is None else family_of(model, tokenizer)
    source = getattr(tokenizer, "src_lang", None)
    target = choose_target(
        family, (getattr(model, "generation_config", None), model.config), tokenizer, Wish()
    )
    return ProbeLanguages(source, target, _script("".join(text.reference)) or target)


def _script(text: str) -> str | None:
    letters = [letter for letter in text if letter.isalpha()]
    kana = sum("\u3040" <= letter <= "\u30ff" for letter in letters)
    hangul = sum("\uac00" <= letter <= "\ud7a3" for letter in letters)
    for language, count in (("ja", kana), ("ko", hangul)):
        if letters and count >= SHARE * len(letters):
            return language
    return None


def _picked(dataset: Any) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Token ids and labels of rows drawn with a fixed seed; none for a data set without a length."""
    if not (hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")):
        return
    found = 0
    numbers = range(len(dataset))
    for number in sorted(random.Random(0).sample(numbers, min(TRIES, len(numbers)))):
        row = dataset[number]
        ids = _ids(row, "input_ids")
        if ids and found < LINES:
            found += 1
            yield _without_padding(ids, _ids(row, "attention_mask")), _ids(row, "labels")


def _ids(row: Any, column: str) -> tuple[int, ...]:
    value: Any = row.get(column) if isinstance(row, Mapping) else None
    if hasattr(value, "tolist"):
        value = value.tolist()
    if not isinstance(value, Sequence) or not all(isinstance(one, int) for one in value):
        return ()
    return tuple(one for one in value if one != IGNORED)


def _without_padding(ids: tuple[int, ...], mask: tuple[int, ...]) -> tuple[int, ...]:
    if len(mask) != len(ids):
        return ids
    return tuple(one for one, counts in zip(ids, mask, strict=True) if counts)


@contextmanager
def preserved_random_states() -> Iterator[None]:
    """Restore the random states afterwards: reading rows must not change what the training draws."""
    import numpy
    import torch

    python, arrays = random.getstate(), numpy.random.get_state()
    try:
        with torch.random.fork_rng(devices=()):
            yield
    finally:
        random.setstate(python)
        numpy.random.set_state(arrays)
