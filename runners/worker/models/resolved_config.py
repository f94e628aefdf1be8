"""The effective configuration: what the model really ran with, defaults of every layer resolved.

A changed default is invisible in a package list; here it shows. Equal settings give equal JSON.
"""

import math
from collections.abc import Mapping
from typing import Any

from runners.worker.errors import JobError

# Where and by which version a file was written says nothing about what the model does.
NOT_SETTINGS = {"name_or_path", "transformers_version"}
SAFE_INTEGER = 2**53  # beyond it JSON readers differ (RFC 8785)


def resolve_generation(model: Any, parameters: Mapping[str, Any]) -> Any:
    """The GenerationConfig that `model.generate(**parameters)` uses.

    Raises JobError for a parameter that generation does not know.
    """
    # The one place where transformers fills in what is left unset; its defaults moved there in 5.0. A
    # config object must not be passed instead: 4.57 takes a value in it that equals the global default for
    # unset.
    resolved, unused = model._prepare_generation_config(None, **parameters)
    unknown = sorted(set(parameters) & set(unused))
    if unknown:
        known = sorted(key for key in resolved.to_dict() if not key.startswith("_"))
        raise JobError(
            "unknown parameter", f"generation knows no {', '.join(unknown)}", f"it knows {', '.join(known)}"
        )
    return resolved


def describe(model: Any, tokenizer: Any, generation: Any, keys: Mapping[str, list[str]]) -> dict[str, Any]:
    """Generation, model and tokenizer settings, and what the weights file lacked, as one JSON value."""
    return {
        **describe_model(model, generation),
        "tokenizer": describe_tokenizer(tokenizer),
        "weights": dict(keys),
    }


def describe_model(model: Any, generation: Any) -> dict[str, Any]:
    """Generation and model settings."""
    return {
        "generation": _settings(generation.to_dict()),
        "model": {"class": type(model).__name__, **_settings(model.config.to_dict())},
    }


def describe_tokenizer(tokenizer: Any) -> dict[str, Any]:
    """The settings of a tokenizer that change its ids or its text."""
    return {
        "class": type(tokenizer).__name__,
        "size": len(tokenizer),
        "model_max_length": plain(tokenizer.model_max_length),
        "clean_up_tokenization_spaces": plain(getattr(tokenizer, "clean_up_tokenization_spaces", None)),
        "legacy": plain(getattr(tokenizer, "legacy", None)),
        "legacy_behaviour": plain(getattr(tokenizer, "legacy_behaviour", None)),
        "special_tokens": _special_tokens(tokenizer),
    }


def plain(value: Any) -> Any:
    """`value` in JSON types; what JSON has no exact word for (huge integers, NaN, dtypes) becomes text."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return value if abs(value) < SAFE_INTEGER else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in sorted(value.items(), key=lambda pair: str(pair[0]))}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [
            plain(item) for item in (sorted(value, key=str) if isinstance(value, (set, frozenset)) else value)
        ]
    return str(value)


def _settings(values: Mapping[str, Any]) -> dict[str, Any]:
    settings = {key: plain(value) for key, value in sorted(values.items())}
    return {
        key: value
        for key, value in settings.items()
        if value is not None and key not in NOT_SETTINGS and not key.startswith("_")
    }


def _special_tokens(tokenizer: Any) -> dict[str, Any]:
    names = ("bos_token", "eos_token", "unk_token", "pad_token", "mask_token")
    return {
        name: [str(token), getattr(tokenizer, f"{name}_id")]
        for name in names
        if (token := getattr(tokenizer, name))
    }
