"""Tiny models: each family's own tokenizer and architecture classes, scaled down to about 1M parameters."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from runners.worker.models.families import FAMILIES, load_tokenizer
from runners.worker.models.recipes import RECIPES, train_pieces

MOST_PIECES = 2500  # every syllable and character of the text, and its most frequent words
TAG = re.compile("[a-z]{2,3}(_[A-Z][a-z]{3})?")  # an ISO 639 code, and a script
TARGETS = ("ja", "en")  # whose language codes a vocabulary contains

_BART_SIZES: Mapping[str, Any] = {
    "d_model": 128,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 512,
    "decoder_ffn_dim": 512,
    "max_position_embeddings": 256,
    "init_std": 0.05,  # 0.02 is for large models: a small one needs half as many steps from 0.05
    # No dropout: the aim is to overfit a few dozen lines.
    "dropout": 0.0,
    "attention_dropout": 0.0,
    "activation_dropout": 0.0,
    "encoder_layerdrop": 0.0,
    "decoder_layerdrop": 0.0,
}
_T5_SIZES: Mapping[str, Any] = {
    "d_model": 128,
    "d_kv": 32,
    "d_ff": 512,
    "num_layers": 2,
    "num_heads": 4,
    "dropout_rate": 0.0,
}


def make(family: str, lines: Iterable[str], folder: Path, tags: Sequence[str] = ()) -> tuple[Any, Any]:
    """The family's tokenizer, trained on `lines`, and an untrained model that fits it.

    `tags`: the languages of a vocabulary that has no codes of its own (Marian's); by default the usual ones.
    The tokenizer's files are written to `folder`. The caller seeds torch, which draws the initial weights.
    """
    import transformers

    recipe, classes = RECIPES[family], FAMILIES[family]
    pieces = train_pieces(
        lines, MOST_PIECES, model_type=recipe.pieces, character_coverage=1.0, **recipe.control_ids
    )
    usual = [recipe.codes[language] for language in TARGETS]
    recipe.write(pieces, folder, [tag for tag in dict.fromkeys(tags) if TAG.fullmatch(tag)] or usual)
    tokenizer = load_tokenizer(classes, str(folder))
    if codes := recipe.special_tokens():
        # From files that no tokenizer has saved, NLLB of 5.0 lacks its codes and M2M100 reads them as words.
        is_4 = transformers.__version__.startswith("4.")
        tokenizer.add_special_tokens({f"{'additional' if is_4 else 'extra'}_special_tokens": codes})
    config = recipe.config(tokenizer, _T5_SIZES if family == "t5" else _BART_SIZES)
    model = getattr(transformers, classes.model_class)(config)
    for name, value in recipe.generation.items():
        setattr(model.generation_config, name, value)
    return tokenizer, model
