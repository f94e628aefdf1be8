"""Compares a loaded model with the tensors of its files, name by name."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from runners.worker.evidence import digests
from runners.worker.evidence.weight_files import same

# Attributes of a model's class: names or patterns of tensors that are not saved, or not loaded.
DECLARED = (
    "_keys_to_ignore_on_save",
    "_keys_to_ignore_on_load_missing",
    "_keys_to_ignore_on_load_unexpected",
)


def unlike_file(model: Any, stored: Mapping[str, Any], reported: Collection[str]) -> list[str] | None:
    """The tensors of the file that the model has under the same name with other values.

    `reported` are the names that from_pretrained found to be unexpected or of another shape. A name that the
    library converts is not judged. None for a quantized model, whose values cannot be compared.
    """
    if getattr(model.config, "quantization_config", None):
        return None
    own = {name: tensor for name, tensor in model.state_dict().items() if hasattr(tensor, "data_ptr")}
    places = {name: place for name in stored if (place := _place(model, own, name)) is not None}
    judged = {
        name: place
        for name, place in places.items()
        if name not in reported and place not in reported and not _is_declared(model, place)
    }
    unlike = [name for name, place in judged.items() if not same(stored[name], own[place].cpu())]
    if not unlike:
        return []
    loaded = {judged[name] for name in judged.keys() - set(unlike)}
    return [name for name in unlike if not _is_stale_copy(model, own, places, judged[name], loaded)]


def _place(model: Any, own: Mapping[str, Any], name: str) -> str | None:
    """The name in the model; the loader adds or removes the prefix of the base model."""
    prefix = f"{model.base_model_prefix}."
    found = next((one for one in (name, prefix + name, name.removeprefix(prefix)) if one in own), None)
    return None if found is None or _is_converted(model, name) else found


def _is_declared(model: Any, name: str) -> bool:
    patterns = (pattern for key in DECLARED for pattern in getattr(model, key, None) or ())
    return any(re.search(pattern, name) for pattern in patterns)


def _is_converted(model: Any, name: str) -> bool:
    """Whether the library (from 5.0 on) renames or merges tensors of such names while it loads them."""
    try:
        from transformers.conversion_mapping import get_checkpoint_conversion_mapping
    except ImportError:
        return False
    rules = get_checkpoint_conversion_mapping(model.config.model_type) or ()
    patterns = (pattern for rule in rules for pattern in _patterns(rule))
    return any(re.search(pattern, name) for pattern in patterns)


def _patterns(rule: Any) -> Iterable[str]:
    for key in ("source_patterns", "target_patterns", "source_keys", "target_keys"):
        value = getattr(rule, key, None) or ()
        yield from (value,) if isinstance(value, str) else value


def _is_stale_copy(
    model: Any, own: Mapping[str, Any], places: Mapping[str, str], name: str, loaded: Collection[str]
) -> bool:
    """Whether the configuration ties the name to one whose stored values were loaded."""
    if getattr(model.config, "tie_word_embeddings", True) is False:
        return False
    group = next((set(names) for names in digests.ties(own) if name in names), set())
    stored = group & set(places.values())
    # `_tied_weights_keys` are the names that get their values from another; a mapping to it from 5.0 on.
    sources = stored - set(getattr(model, "_tied_weights_keys", None) or ())
    return bool((sources or stored) & set(loaded))
