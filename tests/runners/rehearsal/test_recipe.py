"""What makes a tiny model the same one: its initial weights and its first batches, family by family."""

import hashlib
import random
from pathlib import Path

import pytest

from runners.rehearsal.model import RECIPE_VERSION, SEED, recipe_digest
from runners.rehearsal.text import LINES, pairs

# By family and objective: the first 16 hex digits of SHA-256.
DIGESTS = {
    ("nllb", "translation"): "f0058e61aab81b11",
    ("mbart50", "translation"): "8f8f96c290a4d0b2",
    ("mbart", "translation"): "94259e778a6b5d9a",
    ("m2m100", "translation"): "28846b1f6ca5bf3c",
    ("marian", "translation"): "0c7a674ccc6b1cd3",
    ("t5", "translation"): "cf83ef1c78edeee3",
    ("mbart", "denoising"): "31a140dd2c3349fb",
}


@pytest.mark.parametrize(("family", "objective"), DIGESTS)
def test_the_recipe_is_the_one_that_its_version_names(family: str, objective: str, tmp_path: Path):
    assert recipe(family, objective, tmp_path) == DIGESTS[family, objective], (
        "tiny models are made differently: bump RECIPE_VERSION and update these digests"
    )


def recipe(family: str, objective: str, folder: Path) -> str:
    """A digest over the initial weights and the batches of the first epoch.

    Weights count by five decimals of a few statistics: their last bits depend on the CPU's vector level.
    """
    from runners.worker.rehearsal import training
    from runners.worker.rehearsal.models import make

    triples = pairs()
    with training.repeatable(SEED):
        tokenizer, model = make(family, [line for triple in triples for line in triple], folder)
    goal = training.GOALS[objective]
    examples_of = training.reconstructions if goal.masked else training.translations
    examples = examples_of(family, tokenizer, triples[:LINES], model.config.decoder_start_token_id)
    lines = []
    for name, weights in sorted(model.state_dict().items()):
        flat = weights.double().flatten()
        statistics = (flat.mean(), flat.std(), flat[0], flat[-1])
        lines.append(f"{name} {weights.dtype} {list(weights.shape)} {[f'{one:.5f}' for one in statistics]}")
    for batch in training.batches_of(examples, tokenizer, goal, random.Random(SEED)):
        lines += [f"{name} {tensor.tolist()}" for name, tensor in sorted(batch.items())]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def test_version_1_is_recorded_as_it_always_was():
    assert RECIPE_VERSION >= 1
    assert recipe_digest(1) == "99155efec63b15215a8151897d37ed0c5c628fbdbc9c53df3ceb178f89963cea"
    assert recipe_digest(2) != recipe_digest(1)
