"""What a training process sees around its saves, and nobody can see afterwards: which parameters moved, which
of them a save leaves out, and the weights and settings that were evaluated.

Parameters are compared by a sample of their values: some milliseconds, and some kilobytes for each.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from runners.worker.evidence import digests
from runners.worker.models import resolved_config

Json = dict[str, Any]
Log = Sequence[Mapping[str, Any]]
VALUES = 1024  # of each parameter, evenly spaced
ROWS_BEFORE, ROWS_AFTER = 30, 3  # of the log, on both sides of a resume
SCALER = "the state of the gradient scaler"
# What the Trainer of transformers writes besides the weights; accelerate writes the folders `optimizer_*`.
STATE = {
    "the state of the optimizer": ("optimizer.pt", "optimizer.bin", "optimizer*"),
    "the state of the schedule": ("scheduler.pt",),
    "the states of the random generators": ("rng_state*.pth",),
    SCALER: ("scaler.pt",),
}


class TrainingTrace:
    """Follows the parameters of one training from its start, save by save."""

    def __init__(self) -> None:
        self._start: Mapping[str, Any] = {}
        self._marks: dict[int, Mapping[str, Any]] = {}  # by step: the latest two
        self._evaluated: tuple[int, Mapping[str, Any], Json] | None = None
        self._resumed_without: list[str] = []
        self._resumed_at = 0
        self._log: Log = ()

    def resume(self, checkpoint: Path | None, *, scaled: bool = False, skips_data: bool = True) -> None:
        """Remember what the training that resumes from `checkpoint` lacks; None: it does not resume.

        `scaled`: it uses a gradient scaler; `skips_data`: it goes on after the data that was used already.
        """
        needed = {name: files for name, files in STATE.items() if scaled or name != SCALER}
        self._resumed_without = [
            name
            for name, files in needed.items()
            if checkpoint and not any(True for pattern in files for _ in checkpoint.glob(pattern))
        ]
        if checkpoint and not skips_data:
            self._resumed_without.append("the place in the data (ignore_data_skip)")

    def begin(self, model: Any, step: int, log: Log = ()) -> None:
        """Remember the parameters that the training starts or resumes with.

        `log`: the trainer's own list of what it logs, with the rows from before a resume.
        """
        self._resumed_at, self._log = step, log
        self._start = sampled(model)
        self._marks = {step: self._start}
        self._evaluated = None

    def evaluate(self, model: Any, step: int, generation: Mapping[str, Any] | None) -> None:
        """Remember what is evaluated: the parameters, and the arguments of generate, if text is generated."""
        settings = {} if generation is None else _settings(model, generation)
        self._evaluated = (step, sampled(model), settings)

    def replace(self) -> None:
        """Forget the parameters: the trainer has loaded others, those of its best checkpoint."""
        self._marks, self._evaluated = {}, None

    def save(self, model: Any, step: int) -> Json:
        """The trace in the shape of `ledger.evidence.snapshot.TrainingTrace`."""
        now = sampled(model)
        trainable = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
        since = max((mark for mark in self._marks if mark < step), default=None)
        before = {} if since is None or step in self._marks else self._marks[since]
        found = {
            "step": step,
            "since": since if before else None,
            "trainable": trainable,
            "unmoved": [name for name in trainable if name in before and _equal(now[name], before[name])],
            "not_saved": {name: self._moved(now, name) for name in _not_saved(model, set(trainable))},
            **self._evaluation(now, step),
            "resumed_without": self._resumed_without,
            **self._curve(),
        }
        self._marks = {mark: self._marks[mark] for mark in sorted(self._marks)[-1:]} | {step: now}
        self._start = self._start or now
        return found

    def _moved(self, now: Mapping[str, Any], name: str) -> bool | None:
        return not _equal(now[name], self._start[name]) if name in self._start else None

    def _curve(self) -> Json:
        """The losses and learning rates on both sides of a resume."""
        rows = [row for row in self._log if self._resumed_at and _is_finite(row.get("loss"))]
        before = [row for row in rows if row["step"] <= self._resumed_at][-ROWS_BEFORE:]
        after = [row for row in rows if row["step"] > self._resumed_at][:ROWS_AFTER]
        if not before or not after:
            return {}
        return {
            "resumed_at": self._resumed_at,
            "losses_before": [row["loss"] for row in before],
            "losses_after": [row["loss"] for row in after],
            "rates": [row.get("learning_rate") for row in (before[-1], after[0])],
        }

    def _evaluation(self, now: Mapping[str, Any], step: int) -> Json:
        if self._evaluated is None or self._evaluated[0] != step:
            return {"evaluated": False}
        _, then, generation = self._evaluated
        same_type = (name for name in now if name in then and now[name].dtype == then[name].dtype)
        other = [name for name in same_type if not _equal(now[name], then[name])]
        return {"evaluated": True, "evaluated_otherwise": other, "evaluated_with": generation}


def _is_finite(loss: Any) -> bool:
    return isinstance(loss, int | float) and isfinite(loss)


def sampled(model: Any) -> dict[str, Any]:
    """Up to VALUES values of each parameter in its data type, copied to the CPU."""
    return {name: _sample(parameter.detach()) for name, parameter in model.named_parameters()}


def _sample(tensor: Any) -> Any:
    flat = tensor.reshape(-1)
    return flat[:: max(1, len(flat) // VALUES)].to("cpu", copy=True)


def _equal(one: Any, other: Any) -> bool:
    """Whether the bytes are equal: NaN that stays is unmoved."""
    import torch

    return one.dtype == other.dtype and bool(torch.equal(one.view(torch.uint8), other.view(torch.uint8)))


def _not_saved(model: Any, trainable: set[str]) -> Iterator[str]:
    """The trainable parameters that save_pretrained leaves out, and no other name of which it saves."""
    kept = {digests.identity(tensor) for tensor in digests.saved_tensors(model).values()}
    state = model.state_dict()
    left_out = set(getattr(model, "_keys_to_ignore_on_save", None) or ()) & trainable
    yield from sorted(name for name in left_out if digests.identity(state[name]) not in kept)


def _settings(model: Any, arguments: Mapping[str, Any]) -> Json:
    given = {key: value for key, value in arguments.items() if value is not None and key != "synced_gpus"}
    resolved = resolved_config.resolve_generation(model, given)
    settings: Json = resolved_config.describe_model(model, resolved)["generation"]
    return settings
