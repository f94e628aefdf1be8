"""Which models anybody can reload: those whose class transformers has itself. Others are left alone."""

from typing import Any

import transformers
from transformers import PreTrainedModel


def not_reloadable(model: Any) -> str | None:
    """Why nobody but the program itself can reload a save of this model; None where anybody can."""
    kind = type(model)
    if not isinstance(model, PreTrainedModel) or getattr(transformers, kind.__name__, None) is not kind:
        return f"{kind.__name__} is no class of transformers itself, and no other code is run for a reload"
    if not hasattr(model, "generate"):
        return f"{kind.__name__} generates no text, and only models that do are verified"
    if getattr(model, "is_quantized", False) or getattr(model, "_hf_peft_config_loaded", False):
        return "it is quantized or has adapters, and only whole models are verified"
    return None
