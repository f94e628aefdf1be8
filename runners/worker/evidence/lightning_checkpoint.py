"""Checkpoints of Lightning, which are one pickled file: the folder that holds one with its evidence.

`ledger/` next to the file has the evidence. Where the module contains a model of transformers,
`ledger/export` has that model's config and tokenizer; see `runners.worker.evidence.lightning_reload`. Of any
other module only the tensors are compared. The file is only ever opened with `torch.load(weights_only=True)`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runners.worker.evidence import digests
from runners.worker.evidence.snapshot import versions
from runners.worker.layout import FOLDER, LIGHTNING

Json = dict[str, Any]

EXPORT = "export"
NO_MODEL = "the module contains no model of transformers that could be run: only its tensors are compared"
PARTS = ("forward", "sample", "tokenizer", "effective")
PICKLED = "is a pickle that holds more than tensors: loading it could run code"


def describe(state: Mapping[str, Any]) -> Json:
    """The part `Weights` of a state dict."""
    tensors = {name: tensor for name, tensor in state.items() if hasattr(tensor, "data_ptr")}
    return {
        "digests": digests.digest_tensors(tensors),
        "dtypes": {name: digests.dtype_name(tensor) for name, tensor in tensors.items()},
        "shapes": {name: list(tensor.shape) for name, tensor in tensors.items()},
        "ties": digests.ties(tensors),
        "not_finite": digests.not_finite(tensors),
    }


def snapshot_of(state: Mapping[str, Any], origin: Mapping[str, Any]) -> Json:
    """The snapshot of a module that cannot be run: its tensors only."""
    return {
        "weights": describe(state),
        **dict.fromkeys(PARTS),
        "origin": {"versions": versions(), **origin},
        "unseen": dict.fromkeys(PARTS, NO_MODEL),
    }


def write_note(folder: Path, file: str, prefix: str | None) -> None:
    """Mark the folder as such a checkpoint; `prefix` is that of the tensors of a model of transformers."""
    (folder / FOLDER).mkdir(exist_ok=True)
    (folder / FOLDER / LIGHTNING).write_text(json.dumps({"file": file, "prefix": prefix}), encoding="utf-8")


def is_lightning(folder: Path) -> bool:
    """Whether the folder holds a checkpoint of Lightning."""
    return (folder / FOLDER / LIGHTNING).is_file()


def load_state(file: Path) -> dict[str, Any]:
    """The state dict in the file. Raises UnpicklingError for a file that holds more than tensors."""
    import torch

    content = torch.load(file, map_location="cpu", mmap=True, weights_only=True)
    return dict(content["state_dict"])
