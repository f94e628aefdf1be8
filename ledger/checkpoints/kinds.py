"""Which kind of checkpoint a folder holds, as far as its file names and config.json say."""

import json
from collections.abc import Mapping
from pathlib import Path

from ledger.checkpoints.folders import list_checkpoints, read_small
from ledger.findings import Json

# Files that other formats have, and that a folder of the Transformers library does not consist of.
FORMATS: Mapping[str, str] = {
    "adapter_config.json": "a PEFT adapter",
    "*.gguf": "GGUF",
    "*.onnx": "ONNX",
    "shared_vocabulary.*": "CTranslate2",
    "dict.*.txt": "fairseq",
}
OTHER_TASKS = (
    "ForSequenceClassification",
    "ForTokenClassification",
    "ForQuestionAnswering",
    "ForMultipleChoice",
    "ForMaskedLM",
    "ForPreTraining",
    "ForCausalLM",
    "LMHeadModel",
    "BertModel",
    "RobertaModel",
)
OWN_FILES = ("config.json", "*.safetensors", "*model*.bin", "*.ckpt", "*.pt", "ledger", *FORMATS)


def checkpoints_below(folder: Path) -> list[Path]:
    """The checkpoints in a folder that is not one itself: a run's output folder; else an empty list."""
    own = any(True for pattern in OWN_FILES for _ in folder.glob(pattern))
    return [] if own else list_checkpoints(folder)


def unsupported_kind(folder: Path) -> str | None:
    """What a sound folder holds that cannot be verified yet: another format, or a model of another task."""
    config = folder / "config.json"
    if not config.is_file() or not config.stat().st_size:
        formats = (name for pattern, name in FORMATS.items() if any(True for _ in folder.glob(pattern)))
        return next(formats, None)
    try:
        content = json.loads(read_small(config))
    except (OSError, ValueError, RecursionError):
        return None  # a damaged file is a finding
    name = _architecture(content)
    return name if name and name.endswith(OTHER_TASKS) else None


def _architecture(config: Json) -> str | None:
    named = config.get("architectures") if isinstance(config, dict) else None
    return named[0] if isinstance(named, list) and named and isinstance(named[0], str) else None
