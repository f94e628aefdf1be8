"""Reloads a checkpoint of Lightning and repeats the measurements of its evidence.

A model of transformers in the module is exported as a checkpoint of its own, which is then reloaded like any
other.
"""

import json
import os
import pickle
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from runners.worker.error_messages import explain
from runners.worker.evidence import reload
from runners.worker.evidence.folder_entries import size_of
from runners.worker.evidence.lightning_checkpoint import EXPORT, PICKLED, load_state, snapshot_of
from runners.worker.evidence.snapshot import not_loaded
from runners.worker.imported_packages import imported_distributions
from runners.worker.layout import EVIDENCE, FOLDER, LIGHTNING, PROBE
from runners.worker.messages import CheckpointResult, ProbeCheckpoint
from runners.worker.protocol import Events

WEIGHTS = "model.safetensors"


def probe(job: ProbeCheckpoint, events: Events) -> CheckpointResult:
    """What `probe_checkpoint` does with a checkpoint of Lightning."""
    folder = job.checkpoint
    note = json.loads((folder / FOLDER / LIGHTNING).read_text(encoding="utf-8"))
    file = folder / note["file"]
    files = {
        "path": str(folder),
        "format": "lightning",
        "bytes": size_of(file),
        "problems": {},
        "refusals": {},
    }
    try:
        state = load_state(file)
    except pickle.UnpicklingError:
        return not_loaded({**files, "refusals": {file.name: PICKLED}})
    except (RuntimeError, OSError, EOFError, KeyError) as error:
        return not_loaded({**files, "problems": {file.name: f"is damaged: {explain(error).message}"}})
    if note["prefix"] is not None:
        return reload.probe(
            replace(job, checkpoint=_export(folder, state, note["prefix"]), files=None), events
        )
    from runners.worker.forecasting import evidence as forecasting

    is_forecaster = forecasting.is_forecaster(folder)
    snapshot = forecasting.reload(folder, state) if is_forecaster else snapshot_of(state, {})
    return CheckpointResult(files, snapshot, imported=imported_distributions())


def _export(folder: Path, state: Mapping[str, Any], prefix: str) -> Path:
    """The model inside the module as a checkpoint of its own, with its evidence.

    It has all tensors of the file: an average of computed positions is not what the class computes.
    """
    from safetensors.torch import save_file

    export = folder / FOLDER / EXPORT
    inside = {
        name.removeprefix(prefix): tensor.detach().clone()  # names that share storage are written one by one
        for name, tensor in state.items()
        if name.startswith(prefix) and hasattr(tensor, "data_ptr")
    }
    save_file(inside, export / WEIGHTS, metadata={"format": "pt"})
    shutil.rmtree(export / FOLDER, ignore_errors=True)
    (export / FOLDER).mkdir()
    for name in (EVIDENCE, PROBE):
        os.link(folder / FOLDER / name, export / FOLDER / name)
    return export
