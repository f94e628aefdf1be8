"""Compares what config.json asks for with the tensors that are there, by their headers alone.

Standard library only. A model that is built from absurd numbers takes all the memory or never ends, and one
that asks for a quantisation that its tensors do not have fails in a library that has nothing to do with it.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from runners.worker.evidence.safetensors_header import DTYPES, Stored

LARGEST = 100_000_000  # of any size in a config: the largest vocabularies have some hundred thousand
LAYERS_PER_TENSOR = 4  # shared layers (ALBERT) have fewer tensors than layers
SMALL_SIZE, SMALL_MODEL = 100_000, 100_000_000  # numbers that are built in no time, whatever is stored
SIZES = ("_layers", "_dim", "_size", "_heads", "d_model", "d_ff", "d_kv", "_embeddings")
COUNTS = (
    "d_model",
    "d_ff",
    "d_kv",
    "hidden_size",
    "vocab_size",
    "_layers",
    "_heads",
    "ffn_dim",
    "_position_embeddings",
)
DTYPE = re.compile(r"(torch\.)?(bfloat16|float(8\w*|16|32|64)|half|float|double|auto|u?int(8|16|32|64)|bool)")
# Tokens that a generation begins with, must write or ends with. A padding token may have no embedding.
TOKENS = ("decoder_start_token_id", "forced_bos_token_id", "forced_eos_token_id", "eos_token_id")
# Each multiplies the memory or the time of a generation.
SEARCH: Mapping[str, int] = {
    "num_beams": 256,
    "num_return_sequences": 256,
    "num_beam_groups": 256,
    "max_length": 1_000_000,
    "max_new_tokens": 1_000_000,
    "min_length": 1_000_000,
}
# Methods whose tensors are packed into whole numbers or 8-bit floats when they are saved.
PACKED = ("bitsandbytes", "gptq", "awq", "fp8", "eetq", "aqlm", "fbgemm_fp8")
PACKED_DTYPES = {"I8", "U8", "I16", "I32", "F8_E4M3", "F8_E5M2"}


def absurd_value(config: Mapping[str, Any]) -> str | None:
    """The first value that no model or generation has, as the end of a sentence; None without one."""
    for key, value in config.items():
        if key in SEARCH and type(value) in (int, float) and value > SEARCH[key]:
            return f"{key} is {value:,}, which no generation needs"
        if key.endswith(SIZES) and type(value) in (int, float) and value > LARGEST:
            return f"{key} is {value:,}, which no model has"
        if key.endswith(COUNTS) and _is_no_size(value, least=0 if key.endswith("_layers") else 1):
            return f"{key} is {value!r}, which is not a size"
        if key in ("dtype", "torch_dtype") and isinstance(value, str) and not DTYPE.fullmatch(value):
            return f"{key} is {value!r}, which is not a data type"
    return None


def _is_no_size(value: Any, least: int) -> bool:
    return isinstance(value, str) or (type(value) in (int, float) and value < least)


def misfit(config: Mapping[str, Any], tensors: Mapping[str, Stored]) -> str | None:
    """What config.json asks for and these tensors cannot be, as the end of a sentence; None if they fit."""
    checks = (_too_large, _not_packed, _packed_unasked)
    return next((why for find in checks for why in find(config, tensors)), None)


def beyond_vocabulary(config: Mapping[str, Any], settings: Mapping[str, Any]) -> str | None:
    """The first token in the settings of a generation that the vocabulary lacks, as the end of a sentence."""
    sizes = [config.get(key) for key in ("vocab_size", "decoder_vocab_size")]
    size = max((one for one in sizes if type(one) is int), default=0)
    for key in TOKENS if size else ():
        value = settings.get(key)
        for token in value if isinstance(value, list) else [value]:
            if type(token) is int and token >= size:
                return f"{key} is {token:,}, and the vocabulary has {size:,} tokens"
    return None


def _too_large(config: Mapping[str, Any], tensors: Mapping[str, Stored]) -> Iterator[str]:
    """Each layer has a tensor of its own, each size is that of some tensor, and the embedding is stored."""
    numbers = sum(stored.count for stored in tensors.values())
    sizes = {key: value for key, value in config.items() if type(value) is int and key.endswith(COUNTS)}
    for key, value in sizes.items():
        if key.endswith("_layers"):
            if value > LAYERS_PER_TENSOR * max(16, len(tensors)):
                yield f"{key} is {value:,}, but the weights are {len(tensors):,} tensors"
        elif value > max(SMALL_SIZE, numbers):
            yield f"{key} is {value:,}, but the weights are {numbers:,} numbers in all"
    width, rows = (
        max(sizes.get(key, 0) for key in keys) for keys in (("d_model", "hidden_size"), ("vocab_size",))
    )
    if width * rows > max(SMALL_MODEL, 16 * numbers):
        yield f"asks for an embedding of {rows:,} × {width:,}, but the weights are {numbers:,} numbers in all"


def _not_packed(config: Mapping[str, Any], tensors: Mapping[str, Stored]) -> Iterator[str]:
    asked = config.get("quantization_config")
    if not isinstance(asked, Mapping) or asked.get("quant_method") not in (*PACKED, None):
        return
    present = {stored.dtype for stored in tensors.values() if len(stored.shape) > 1}
    if present and not present & PACKED_DTYPES and (what := _quantisation(asked)):
        yield (
            f"asks for {what}, but the weights are not quantised: every matrix is {_spelled(present)}; "
            "remove quantization_config from it, or save the quantised model"
        )


def _packed_unasked(config: Mapping[str, Any], tensors: Mapping[str, Stored]) -> Iterator[str]:
    packed = [
        name for name, stored in tensors.items() if stored.dtype in ("I8", "U8") and len(stored.shape) > 1
    ]
    weights = [name for name in packed if name.endswith(".weight")]  # masks in the file are no weights
    if weights and not config.get("quantization_config"):
        yield (
            f"names no quantisation, but {len(weights):,} of {len(tensors):,} tensors are 8-bit integers, "
            f"such as {weights[0]}: add quantization_config, or save the weights in floating point"
        )


def _quantisation(asked: Mapping[str, Any]) -> str | None:
    method = asked.get("quant_method") or "bitsandbytes"
    bits = 4 if asked.get("load_in_4bit") else 8 if asked.get("load_in_8bit") else asked.get("bits")
    if method == "bitsandbytes" and bits is None:
        return None
    return f"{bits}-bit quantisation ({method})" if bits else f"quantisation ({method})"


def _spelled(dtypes: Collection[str]) -> str:
    return " or ".join(sorted(DTYPES.get(one, one) for one in dtypes))
