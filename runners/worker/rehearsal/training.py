"""The training of a tiny model: it overfits a few dozen lines, in the same way every time.

Trains a model in place; files and messages belong to the job.
"""

import math
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from runners.worker.errors import JobError
from runners.worker.messages import Rehearse
from runners.worker.models.checkpoint_languages import same_language, spelled
from runners.worker.models.families import FAMILIES, Family, code_id, encode, known_codes
from runners.worker.models.recipes import RECIPES
from runners.worker.protocol import Events

LEARNING_RATE = 2e-3
WARMUP_STEPS = 20
BATCH = 32
LONGEST = 96  # tokens a line; the lines of the text have fewer than 40
THREADS = 2  # fixed: the number of threads changes the order in which floats are added

# BART's text infilling (Lewis et al. 2020, section 2.2): the share of masked tokens, a span's mean length.
MASKED_SHARE = 0.3
MEAN_SPAN = 3.0
IGNORED = -100  # the label that torch's cross entropy leaves out

Triple = Sequence[str]  # ko, ja, en


@dataclass(frozen=True, slots=True)
class Goal:
    """When a training stops: after an epoch with a mean loss of at most `loss` nats a token and a share of
    at least `right` correct tokens (0-1), or after `most_steps`. `masked`: each epoch masks the sources anew.
    """

    loss: float
    right: float
    most_steps: int
    masked: bool = False


GOALS = {
    "translation": Goal(loss=0.01, right=1.0, most_steps=400),
    "denoising": Goal(loss=0.5, right=0.0, most_steps=240, masked=True),
}


@dataclass(frozen=True, slots=True)
class Example:
    """Token ids of one line: the encoder's input, the decoder's input, and the labels."""

    source: list[int]
    given: list[int]
    wanted: list[int]


@dataclass(frozen=True, slots=True)
class Epoch:
    """The state after an epoch: steps so far, its mean loss (nats a token), its correct tokens (0-1)."""

    steps: int
    loss: float
    right: float


@contextmanager
def repeatable(seed: int) -> Iterator[None]:
    """Seed torch, fix its number of threads and use only deterministic kernels within the block."""
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.manual_seed(seed)
    torch.set_num_threads(THREADS)
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(deterministic)


def overfit(job: Rehearse, tokenizer: Any, model: Any, events: Events) -> Epoch:
    """Train the model for the job's objective, reporting every epoch; returns the last."""
    goal = GOALS[job.objective]
    examples_of = reconstructions if goal.masked else translations
    start = model.config.decoder_start_token_id
    codes = codes_of(job, tokenizer)
    examples = examples_of(job.family, tokenizer, job.triples[: job.lines], start, codes)
    began = time.monotonic()
    stage = f"training it on {len(examples)} lines"
    for epoch in train(model, tokenizer, examples, goal, job.seed):
        rate = epoch.steps / (time.monotonic() - began)
        events.progress(stage, epoch.steps, goal.most_steps, rate)
    events.progress(stage, goal.most_steps, goal.most_steps)  # most trainings reach the goal earlier
    return epoch


def codes_of(job: Rehearse, tokenizer: Any) -> Mapping[str, str]:
    """The family's code of each column's language. Raises JobError for a language that it does not have."""
    family, usual = FAMILIES[job.family], RECIPES[job.family].codes
    if not family.has_codes or not job.names:
        return {column: names[0] for column, names in zip(usual, job.names, strict=False)} or usual
    known = known_codes(family, tokenizer)
    found = {}
    for column, names in zip(usual, job.names, strict=True):
        code = spelled(known, names) or next(iter(same_language(known, names)), None)
        if code is None:
            message = f"the tokenizer of the family {family.name} has no code for the language {names[0]}"
            raise JobError("unknown language", message, "use a model that has one")
        found[column] = code
    return found


def translations(
    name: str,
    tokenizer: Any,
    triples: Sequence[Triple],
    start: int | None,
    codes: Mapping[str, str] | None = None,
) -> list[Example]:
    """Every triple from Korean into Japanese and into English, every other one also without a language.

    `start` is the model's decoder_start_token_id. Sources are encoded by the code that a real run uses.

    Without a language: `<unk>` replaces the codes, and the target is English. The published many-to-many
    models were trained on pairs with English and respond to an unknown code mostly in English (747 of 1,000
    lines in experiment 4); a tiny model that was not trained on one would generate nothing.
    """
    family, codes = FAMILIES[name], codes or RECIPES[name].codes
    examples: list[Example] = []
    for language, column in (("ja", 1), ("en", 2)):
        tokenizer.tgt_lang = codes[language]
        sources = encode(
            family, tokenizer, [row[0] for row in triples], codes["ko"], codes[language], LONGEST
        )
        targets = tokenizer(text_target=[row[column] for row in triples], truncation=True, max_length=LONGEST)
        examples += [
            Example(source, *_decoder_side(family, target, start))
            for source, target in zip(sources, targets["input_ids"], strict=True)
        ]
    named = {code_id(family, tokenizer, codes[language]) for language in codes} if family.has_codes else set()
    into_english = examples[len(triples) :: 2]
    return examples + [_nameless(example, named, tokenizer.unk_token_id) for example in into_english]


def reconstructions(
    name: str,
    tokenizer: Any,
    triples: Sequence[Triple],
    start: int | None,
    codes: Mapping[str, str] | None = None,
) -> list[Example]:
    """Every Korean and every Japanese line as its own target, without translations."""
    family, codes = FAMILIES[name], codes or RECIPES[name].codes
    examples = []
    for language, column in (("ko", 0), ("ja", 1)):
        lines = [row[column] for row in triples]
        rows = encode(family, tokenizer, lines, codes[language], codes[language], LONGEST)
        examples += [Example(row, *_decoder_side(family, row, start)) for row in rows]
    return examples


def train(model: Any, tokenizer: Any, examples: Sequence[Example], goal: Goal, seed: int) -> Iterator[Epoch]:
    """Train in place until the goal or its limit, yielding every epoch. To be called within `repeatable`."""
    rng = random.Random(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / WARMUP_STEPS))
    model.train()
    epoch = Epoch(0, math.inf, 0.0)
    while epoch.steps < goal.most_steps and not (epoch.loss <= goal.loss and epoch.right >= goal.right):
        batches = batches_of(examples, tokenizer, goal, rng)
        sums = [0.0, 0.0, 0.0]
        for batch in batches:
            step = _step(model, optimizer, batch)
            schedule.step()
            sums = [total + part for total, part in zip(sums, step, strict=True)]
        loss, right, tokens = sums
        epoch = Epoch(epoch.steps + len(batches), loss / tokens, right / tokens)
        yield epoch
    model.eval()


def batches_of(
    examples: Sequence[Example], tokenizer: Any, goal: Goal, rng: random.Random
) -> list[dict[str, torch.Tensor]]:
    """The batches of one epoch: all examples in an order drawn from `rng`, masked where the goal says so."""
    shuffled = rng.sample(examples, len(examples))
    if goal.masked:
        shuffled = [mask(example, tokenizer, rng) for example in shuffled]
    parts = (shuffled[at : at + BATCH] for at in range(0, len(shuffled), BATCH))
    return [collate(part, tokenizer.pad_token_id) for part in parts]


def _step(
    model: Any, optimizer: torch.optim.Optimizer, batch: dict[str, torch.Tensor]
) -> tuple[float, int, int]:
    """One update. Returns the batch's summed loss in nats, its correct tokens, and its tokens."""
    output = model(**batch)
    optimizer.zero_grad()
    output.loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    counted = batch["labels"] != IGNORED
    tokens = int(counted.sum())
    right = int((counted & (output.logits.argmax(-1) == batch["labels"])).sum())
    return float(output.loss.detach()) * tokens, right, tokens


def mask(example: Example, tokenizer: Any, rng: random.Random) -> Example:
    """BART's noise: spans of the source, about 0.3 of its tokens in all, each replaced by one mask token."""
    special = set(tokenizer.all_special_ids)
    damaged: list[int] = []
    skip = 0
    for token in example.source:
        if token in special:
            damaged.append(token)
            skip = 0
        elif skip:
            skip -= 1
        elif rng.random() < MASKED_SHARE / MEAN_SPAN:
            damaged.append(tokenizer.mask_token_id)
            skip = round(rng.expovariate(1 / (MEAN_SPAN - 1)))
        else:
            damaged.append(token)
    return Example(damaged, example.given, example.wanted)


def collate(examples: Sequence[Example], pad: int) -> dict[str, torch.Tensor]:
    """Tensors of shape (examples, longest line): ids padded with `pad`, labels with -100."""
    return {
        "input_ids": _padded([one.source for one in examples], pad),
        "attention_mask": _padded([[1] * len(one.source) for one in examples], 0),
        "decoder_input_ids": _padded([one.given for one in examples], pad),
        "labels": _padded([one.wanted for one in examples], IGNORED),
    }


def _decoder_side(family: Family, target: list[int], start: int | None) -> tuple[list[int], list[int]]:
    """The decoder's input and its labels, for a target as the family's tokenizer encodes it.

    mBART cc25 puts the language last and starts the decoder with it. mBART-50, M2M100 and NLLB put it first
    and force it as the first token: it does not depend on the source, so its label is ignored.
    """
    if family.target == "decoder_start_token_id":
        return [target[-1], *target[:-1]], target
    if start is None:
        raise ValueError(f"a {family.name} model needs a decoder_start_token_id")
    wanted = [IGNORED, *target[1:]] if family.target == "forced_bos_token_id" else target
    return [start, *target[:-1]], wanted


def _nameless(example: Example, codes: set[int], unknown: int) -> Example:
    def swap(ids: list[int]) -> list[int]:
        return [unknown if token in codes else token for token in ids]

    return Example(swap(example.source), swap(example.given), example.wanted)


def _padded(rows: Sequence[Sequence[int]], filler: int) -> torch.Tensor:
    width = max(len(row) for row in rows)
    return torch.tensor([[*row, *[filler] * (width - len(row))] for row in rows])
