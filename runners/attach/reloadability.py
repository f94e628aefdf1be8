"""Which models can be reloaded outside the program: those of a class of transformers' own."""

from typing import Any

import transformers
from transformers import PreTrainedModel


def not_reloadable(model: Any) -> str | None:
    """Why only the program itself can reload a checkpoint of this model; None if anybody can."""
    kind = type(model)
    if not isinstance(model, PreTrainedModel) or getattr(transformers, kind.__name__, None) is not kind:
        return f"{kind.__name__} is not a class of transformers, and a reload runs no other code"
    if not hasattr(model, "generate"):
        return f"{kind.__name__} generates no text, and only models that do are verified"
    if getattr(model, "is_quantized", False) or getattr(model, "_hf_peft_config_loaded", False):
        return "it is quantized or has adapters, and only whole models are verified"
    return None
