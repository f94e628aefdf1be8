"""Checkpoints of Lightning, which are one pickled file: what is kept at a save, and how it is reloaded.

A save is looked at as a folder: the file itself, and beside it in `ledger/` the evidence. Where the module
holds a model of transformers, `ledger/export` has that model's config and tokenizer; the weights are put
there from the reloaded file, and the export is then asked what any checkpoint of that model is. Of any other
module the tensors alone are compared. The file is opened with `torch.load(weights_only=True)` alone.
"""

import json
import os
import pickle
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runners.worker.error_messages import explain
from runners.worker.evidence import digests
from runners.worker.evidence.snapshot import versions
from runners.worker.imported_packages import imported_distributions
from runners.worker.protocol import Events

Json = dict[str, Any]

OURS, NOTE, EXPORT = "ledger", "lightning.json", "export"
WEIGHTS = "model.safetensors"
UNASKED = "the module holds no model of transformers that could be asked: its tensors alone are compared"
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
    """A snapshot of a module that nobody can ask anything."""
    return {
        "weights": describe(state),
        **dict.fromkeys(PARTS),
        "origin": {"versions": versions(), **origin},
        "unseen": dict.fromkeys(PARTS, UNASKED),
    }


def write_note(folder: Path, file: str, prefix: str | None) -> None:
    """Say that this folder is such a save; `prefix` leads to the model of transformers, if there is one."""
    (folder / OURS).mkdir(exist_ok=True)
    (folder / OURS / NOTE).write_text(json.dumps({"file": file, "prefix": prefix}), encoding="utf-8")


def is_lightning(folder: Path) -> bool:
    """Whether this folder is a save of Lightning."""
    return (folder / OURS / NOTE).is_file()


def probe(job: Mapping[str, Any], events: Events) -> Json:
    """What `probe_checkpoint` does, of a save of Lightning."""
    folder = Path(job["checkpoint"])
    note = json.loads((folder / OURS / NOTE).read_text(encoding="utf-8"))
    file = folder / note["file"]
    files = {"path": str(folder), "format": "lightning", "bytes": _size(file), "problems": {}, "refusals": {}}
    try:
        state = load_state(file)
    except pickle.UnpicklingError:
        return _not_loaded({**files, "refusals": {file.name: PICKLED}})
    except (RuntimeError, OSError, EOFError, KeyError) as error:
        return _not_loaded({**files, "problems": {file.name: f"is damaged: {explain(error).message}"}})
    if note["prefix"] is not None:
        from runners.worker.evidence.reload import probe_checkpoint

        return probe_checkpoint({**job, "checkpoint": str(_export(folder, state, note["prefix"]))}, events)
    from runners.worker.forecasting import evidence as forecasting

    own = forecasting.is_forecaster(folder)
    snapshot = forecasting.reload(folder, state) if own else snapshot_of(state, {})
    return {
        "files": files,
        "snapshot": snapshot,
        "asked": None,
        "seconds": {},
        "imported": imported_distributions(),
    }


def load_state(file: Path) -> dict[str, Any]:
    """The state dict in the file. Raises UnpicklingError for a file that holds more than tensors."""
    import torch

    content = torch.load(file, map_location="cpu", mmap=True, weights_only=True)
    return dict(content["state_dict"])


def _export(folder: Path, state: Mapping[str, Any], prefix: str) -> Path:
    """The model inside the module as a checkpoint of its own, its evidence beside it."""
    from safetensors.torch import save_file

    export = folder / OURS / EXPORT
    inside = {
        name.removeprefix(prefix): tensor.detach().clone()  # names that share storage are written one by one
        for name, tensor in state.items()
        if name.startswith(prefix) and hasattr(tensor, "data_ptr")
    }
    evidence = json.loads((folder / OURS / "evidence.json").read_text(encoding="utf-8"))
    belong = ((evidence.get("snapshot") or {}).get("weights") or {}).get("digests") or inside
    save_file(
        {name: tensor for name, tensor in inside.items() if name in belong},
        export / WEIGHTS,
        metadata={"format": "pt"},
    )
    shutil.rmtree(export / OURS, ignore_errors=True)
    (export / OURS).mkdir()
    for kept in ("evidence.json", "probe.safetensors"):
        os.link(folder / OURS / kept, export / OURS / kept)
    return export


def _not_loaded(files: Json) -> Json:
    found = {**files["problems"], **files["refusals"]}
    why = "; ".join(f"{name} {what}" for name, what in found.items())
    unseen = dict.fromkeys(("weights", *PARTS), f"it was not loaded: {why}")
    snapshot = {**dict.fromkeys(unseen), "origin": {"versions": versions()}, "unseen": unseen}
    return {"files": files, "snapshot": snapshot, "asked": None, "seconds": {}, "imported": []}


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
