"""The evidence of a forecaster at each checkpoint, and the same measurements of a reloaded file.

It consists of the tensors of the state dict, and the forecasts of some validation windows. The file is
Lightning's; the model is built by this package's own class.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from runners.worker.evidence import lightning_checkpoint
from runners.worker.evidence.recorder import CapturedEvidence, save_evidence
from runners.worker.evidence.snapshot import now, threads
from runners.worker.forecasting.data import Windows
from runners.worker.forecasting.model import Forecaster
from runners.worker.layout import EVIDENCE, FOLDER, PROBE
from runners.worker.models.resolved_config import plain

Json = dict[str, Any]

FILE, PREFIX, BUILT = "forecaster.ckpt", "forecaster.", "forecaster.json"
WINDOWS = 64
UNSEEN = dict.fromkeys(("sample", "tokenizer"), "a forecaster reads and writes no text")


@dataclass(frozen=True, slots=True)
class Probe:
    """The windows that are forecast at every checkpoint, and the values after them."""

    values: Tensor
    frame: Tensor
    target: Tensor


def draw_probe(windows: Windows, seed: int) -> Probe:
    """Up to 64 windows, the same for the same seed."""
    order = torch.randperm(len(windows), generator=torch.Generator().manual_seed(seed))
    drawn = [windows[int(place)] for place in order[:WINDOWS]]
    values, frames, targets = zip(*drawn, strict=True)
    return Probe(torch.stack(values), torch.stack(frames), torch.stack(targets))


def write(checkpoint: Path, module: Any, probe: Probe, origin: Mapping[str, Any]) -> None:
    """Record evidence of the module as it is now, without changing it."""
    forecaster = module.forecaster
    forward, forecasts = measure(forecaster, probe)
    snapshot = {
        **lightning_checkpoint.snapshot_of(module.state_dict(), {**origin, "written": now()}),
        "forward": forward,
        "effective": {"model": settings(forecaster), "generation": {}},
        "unseen": UNSEEN,
    }
    lightning_checkpoint.write_note(checkpoint, FILE, None)
    built = {"config": settings(forecaster)["config"], "frames": forecaster.frames}
    (checkpoint / FOLDER / BUILT).write_text(json.dumps(built), encoding="utf-8")
    tensors = {"values": probe.values, "frame": probe.frame, "target": probe.target, "logits": forecasts}
    recipe = {"threads": torch.get_num_threads()}
    save_evidence(checkpoint, CapturedEvidence(plain(snapshot), recipe, tensors, 0.0))


def is_forecaster(checkpoint: Path) -> bool:
    """Whether the checkpoint is of a forecaster."""
    return (checkpoint / FOLDER / BUILT).is_file()


def reload(checkpoint: Path, state: Mapping[str, Tensor]) -> Json:
    """The snapshot of the reloaded `state`, with the windows of the stored evidence."""
    from safetensors.torch import load_file

    built = json.loads((checkpoint / FOLDER / BUILT).read_text(encoding="utf-8"))
    stored = load_file(checkpoint / FOLDER / PROBE)
    evidence = json.loads((checkpoint / FOLDER / EVIDENCE).read_text(encoding="utf-8"))
    forecaster = Forecaster(built["config"], built["frames"])
    inside = {name.removeprefix(PREFIX): tensor for name, tensor in state.items() if name.startswith(PREFIX)}
    snapshot = {**lightning_checkpoint.snapshot_of(state, {}), "unseen": dict(UNSEEN)}
    try:
        forecaster.load_state_dict(inside)
    except RuntimeError as error:
        why = f"the tensors do not fit the model: {' '.join(str(error).split())[:200]}"
        return {**snapshot, "unseen": {**UNSEEN, "forward": why, "effective": why}}
    probe = Probe(stored["values"], stored["frame"], stored["target"])
    with threads(evidence["recipe"]["threads"]):
        forward, _ = measure(forecaster, probe, stored["logits"])
    effective = {"model": settings(forecaster), "generation": {}}
    return dict(plain({**snapshot, "forward": forward, "effective": effective}))


def measure(forecaster: Forecaster, probe: Probe, stored: Tensor | None = None) -> tuple[Json, Tensor]:
    """The part `Forward`, and the forecasts: the same bits for the same weights, windows, device, threads."""
    device = forecaster.hidden.device
    training = forecaster.training
    forecaster.eval()
    try:
        with torch.no_grad(), torch.autocast(device.type, enabled=False):
            answer, _ = forecaster(probe.values.to(device), probe.frame.to(device))
    finally:
        forecaster.train(training)
    forecasts = answer.to("cpu", torch.float32).contiguous()
    data = memoryview(forecasts.numpy()).cast("B")
    forward = {
        "loss": float(functional.mse_loss(forecasts, probe.target)),
        "logits_digest": f"sha256:{hashlib.sha256(data).hexdigest()}",
        "dtype": "float32",
        "device": device.type,
        "max_difference": None if stored is None else float((forecasts - stored).abs().max()),
    }
    return forward, forecasts


def settings(forecaster: Forecaster) -> Json:
    """What the model was built from, and its class."""
    config = forecaster.config
    names = ("d_model", "d_kv", "d_ff", "num_layers", "num_heads", "dropout_rate")
    return {
        "class": type(forecaster).__name__,
        "config": {name: getattr(config, name) for name in names},
        "frames": list(forecaster.frames),
    }
