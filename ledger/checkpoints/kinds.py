"""Which kind of checkpoint a folder holds, as far as its file names and config.json say."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from ledger.checkpoints.folders import CHECKPOINT, FOLDER, evidence_path, list_checkpoints, read_small
from ledger.findings import Json

# Files that other formats have, and that a folder of the Transformers library does not consist of.
FORMATS: Mapping[str, str] = {
    "adapter_config.json": "a PEFT adapter",
    "*.gguf": "GGUF",
    "*.onnx": "ONNX",
    "onnx/*.onnx": "ONNX",
    "shared_vocabulary.*": "CTranslate2",
    "dict.*.txt": "fairseq",
    "tf_model.h5": "TensorFlow weights",
    "flax_model.msgpack": "Flax weights",
    "rust_model.ot": "rust-bert weights",
    "openvino_model.xml": "OpenVINO",
}
WEIGHTS = ("model*.safetensors*", "pytorch_model*.bin*")
# The ends of class names of models that do not translate, but for the older name of T5.
OTHER_TASKS = (
    "ForSequenceClassification",
    "ForTokenClassification",
    "ForQuestionAnswering",
    "ForMultipleChoice",
    "ForMaskedLM",
    "ForPreTraining",
    "ForCausalLM",
    "ForCTC",
    "LMHeadModel",
    "EncoderModel",
)
OWN_NAMES = ("T5WithLMHeadModel",)
BASES = re.compile(
    r"[A-Z]\w*(?<!MT)Model"
)  # an encoder or a model without its head; MarianMTModel is neither
# What a folder that is a checkpoint has at least one of; the others may lie in a run's folder, too.
MODEL_FILES = ("config.json", "*.safetensors*", "*model*.bin*", "*.ckpt", "*.pt", *FORMATS)
OTHER_FILES = ("*.spm", "*token*.json", "vocab.*", "trainer_state.json", FOLDER)


def checkpoints_below(folder: Path) -> list[Path]:
    """The checkpoints in a folder that is not one itself, or in the folders in it; else an empty list."""
    if is_checkpoint(folder):
        return []
    inside = (path for path in sorted(folder.iterdir()) if path.is_dir() and path.name != FOLDER)
    return list_checkpoints(folder) or [found for path in inside for found in list_checkpoints(path)]


def is_checkpoint(folder: Path) -> bool:
    """Whether a folder holds files of a checkpoint, or was made to hold them: complete or not."""
    if _has(folder, MODEL_FILES):
        return True
    if list_checkpoints(folder):
        return False
    is_named = CHECKPOINT.fullmatch(folder.absolute().name) is not None
    return is_named or _has(folder, OTHER_FILES) or not any(folder.iterdir())


def _has(folder: Path, patterns: Iterable[str]) -> bool:
    return any(True for pattern in patterns for _ in folder.glob(pattern))


def unsupported_kind(folder: Path) -> str | None:
    """What a sound folder holds that cannot be verified yet: another format, or a model of another task.

    None where there is evidence of the save: it is recorded only of models that can be reloaded and run.
    """
    if evidence_path(folder).is_file():
        return None
    if not _has(folder, WEIGHTS):
        formats = (name for pattern, name in FORMATS.items() if _has(folder, [pattern]))
        if found := next(formats, None):
            return found
    try:
        content = json.loads(read_small(folder / "config.json"))
    except (OSError, ValueError, RecursionError):
        return None  # a damaged file is a finding
    name = _architecture(content)
    if name is None or name in OWN_NAMES:
        return None
    return name if name.endswith(OTHER_TASKS) or BASES.fullmatch(name) else None


def _architecture(config: Json) -> str | None:
    named = config.get("architectures") if isinstance(config, dict) else None
    return named[0] if isinstance(named, list) and named and isinstance(named[0], str) else None
