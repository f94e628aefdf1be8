"""The `score_comet` job: COMET's score of each line, in the environment of `lockfiles/comet.in`."""

import hashlib
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from runners.worker.errors import JobError
from runners.worker.messages import CometResult, ScoreComet
from runners.worker.models.loading import read_lines
from runners.worker.protocol import Events

HIDDEN = ("sklearn",)  # in `runners.worker.bootstrap`
CHECKPOINT = Path("checkpoints", "model.ckpt")  # in a folder of the hub, next to hparams.yaml


def score_comet(job: ScoreComet, events: Events) -> CometResult:
    """Score every output. The model's own scores are about 0 to 1; they are multiplied by 100 here."""
    _show(HIDDEN)
    import torch

    source, reference = read_lines(job.source, job.lines), read_lines(job.reference, job.lines)
    events.progress("loading the model", 0, 1)
    checkpoint = _locate(job.model)
    model = _load(checkpoint)
    model = model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
    events.progress("loading the model", 1, 1)
    scores = []
    for number, path in enumerate(job.outputs):
        rows = [
            {"src": src, "mt": mt, "ref": ref}
            for src, mt, ref in zip(source, read_lines(path, job.lines), reference, strict=True)
        ]
        found = [0.0] * job.lines
        for batch, values in _scored(model, rows, job.batch_size):
            for line, value in zip(batch, values, strict=True):
                found[line] = 100 * value
            done = number * job.lines + len(batch)
            events.progress("scoring", done, len(job.outputs) * job.lines)
        scores.append(tuple(found))
    return CometResult(tuple(scores), _signature(job.model, checkpoint))


def _show(names: Sequence[str]) -> None:
    """Let packages be imported that the worker hides at its start."""
    for name in names:
        if name in sys.modules and sys.modules[name] is None:
            del sys.modules[name]


def _scored(model: Any, rows: Sequence[dict[str, str]], size: int) -> Iterator[tuple[list[int], list[float]]]:
    """Batches of lines of similar length, the longest first, with their scores."""
    import torch

    order = sorted(range(len(rows)), key=lambda line: (-sum(map(len, rows[line].values())), line))
    for first in range(0, len(order), size):
        batch = order[first : first + size]
        inputs = model.prepare_for_inference([rows[line] for line in batch])
        with torch.inference_mode():
            found = model.predict_step(model.transfer_batch_to_device(inputs, model.device, 0))
        yield batch, found["scores"].float().cpu().tolist()


def _locate(model: str) -> Path:
    """The checkpoint file of a hub name, from the cache or the hub, or of a folder; or the file itself."""
    path = Path(model)
    if not path.exists():
        from huggingface_hub import snapshot_download

        try:
            path = Path(snapshot_download(model))
        except Exception as error:
            message = f"the COMET model {model} cannot be fetched: {' '.join(str(error).split())[:200]}"
            hint = "check the name and the network, or name a folder that has checkpoints/model.ckpt"
            raise JobError("missing model", message, hint) from error
    checkpoint = path / CHECKPOINT if path.is_dir() else path
    if not checkpoint.is_file() or not (checkpoint.parents[1] / "hparams.yaml").is_file():
        message = f"{path} is no COMET model: it has no {CHECKPOINT} with hparams.yaml"
        raise JobError("missing model", message, "name a COMET model, such as Unbabel/wmt22-comet-da")
    return checkpoint


def _load(checkpoint: Path) -> Any:
    """The model. A file that would run code when it is unpickled is refused."""
    import torch
    from comet import load_from_checkpoint

    try:
        torch.load(checkpoint, map_location="meta", weights_only=True, mmap=True)
    except UnpicklingError as error:
        message = f"{checkpoint} is a pickle that holds more than tensors and plain values"
        raise JobError("unsafe checkpoint", message, "use a model that was saved without code") from error
    return load_from_checkpoint(str(checkpoint))


def _signature(model: str, checkpoint: Path) -> str:
    digest = hashlib.sha256()
    with checkpoint.open("rb") as file:
        while part := file.read(2**20):
            digest.update(part)
    return f"COMET|model:{model}|sha256:{digest.hexdigest()[:12]}|x100|version:{version('unbabel-comet')}"
