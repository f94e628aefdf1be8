"""A training scaled down to a minute: the same classes and settings, tiny sizes, few steps.

Everything that affects how a model is saved and loaded (classes, shared and tied embeddings, schedule,
accumulation, the number of stored checkpoints) is as in the spec. Pure.
"""

from collections.abc import Mapping, Sequence

from ledger.errors import UsageError
from ledger.findings import Json
from runners.rehearsal.text import LINES, pairs

PIECES = 2500
SIZES: Mapping[str, Json] = {
    "d_model": 128,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 512,
    "decoder_ffn_dim": 512,
    "max_position_embeddings": 256,
    "dropout": 0.0,  # the aim is to overfit a few dozen lines
    "init_std": 0.05,  # 0.02 is for large models: a small one needs half as many steps from 0.05
}
STEPS = 90
SAVES = 3
ARGUMENTS: Mapping[str, Json] = {
    "per_device_train_batch_size": 16,
    "learning_rate": 2e-3,
    "warmup_steps": 10,
    "max_steps": STEPS,
    "logging_steps": 2,
    "save_steps": STEPS // SAVES,
}
# For a GPU, or overridden by `max_steps`.
LEFT_OUT = frozenset({"fp16", "bf16", "num_train_epochs"})
MOST_ACCUMULATION = 2


def scaled_config(config: Mapping[str, Json]) -> dict[str, Json]:
    """The config of a tiny model with the same settings otherwise."""
    return {**config, **SIZES}


def scaled_arguments(arguments: Mapping[str, Json]) -> dict[str, Json]:
    """TrainingArguments for 90 steps with three checkpoints, each evaluated if the spec evaluates."""
    kept = {key: value for key, value in arguments.items() if key not in LEFT_OUT}
    scaled = {**kept, **ARGUMENTS}
    if "gradient_accumulation_steps" in kept:
        wanted = kept["gradient_accumulation_steps"]
        scaled["gradient_accumulation_steps"] = min(MOST_ACCUMULATION, wanted)
    if "eval_steps" in kept:
        scaled["eval_steps"] = ARGUMENTS["save_steps"]
    return scaled


def has_text(source: str, target: str) -> bool:
    """Whether there is text to learn `source` into `target` from (ISO 639-1)."""
    known = ("ko", "ja", "en")
    return source in known and target in known and source != target


def training_text(source: str, target: str) -> tuple[Sequence[str], Sequence[str]]:
    """The lines that a rehearsed training overfits, for ISO 639-1 names of the languages.

    Raises UsageError for a language without text.
    """
    if not has_text(source, target):
        raise UsageError(
            f"a rehearsal has text in Korean, Japanese and English, not for {source} into {target}",
            hint="rehearse with --set languages.source=ja --set languages.target=ko",
        )
    triples = pairs(LINES)
    return [getattr(one, source) for one in triples], [getattr(one, target) for one in triples]
