"""The forecasting model: a T5 encoder that reads a window of a series and says the value after it.

torch and transformers, 4.57 and 5.x alike; no trainer. T5's encoder reads vectors in the place of words: each
value is one position, and its embedding of words is left out.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from transformers import T5Config, T5EncoderModel

from runners.worker.errors import JobError

SIZES = ("d_model", "d_kv", "d_ff", "num_layers", "num_heads")


class Forecaster(nn.Module):  # type: ignore[misc]  # torch is Any here
    """Windows in; the next value of each out, and what stood where values were hidden.

    `frames` are the names of the time frames, of which a window's is given by its place among them.
    """

    def __init__(self, config: Mapping[str, Any], frames: list[str]) -> None:
        super().__init__()
        self.config = T5Config(**config, vocab_size=1)
        self.frames = frames
        width = self.config.d_model
        self.encoder = _without_words(T5EncoderModel(self.config).encoder)
        self.value = nn.Linear(1, width)
        self.hidden = nn.Parameter(torch.randn(width))
        self.frame = nn.Embedding(len(frames), width)
        self.forecast = nn.Linear(width, len(frames))
        self.fill = nn.Linear(width, 1)

    def forward(self, values: Tensor, frame: Tensor, hidden: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Forecasts of shape (windows,), and values filled in of shape (windows, values).

        `values` is (windows, values), `frame` (windows,), and `hidden`, true where a value is not to be seen,
        is as `values`.
        """
        inputs = self.value(values.unsqueeze(-1))
        if hidden is not None:
            inputs = torch.where(hidden.unsqueeze(-1), self.hidden.to(inputs.dtype), inputs)
        inputs = inputs + self.frame(frame).unsqueeze(1)
        states = self.encoder(inputs_embeds=inputs).last_hidden_state
        forecasts = self.forecast(states[:, -1]).gather(1, frame.unsqueeze(1))
        return forecasts.squeeze(1), self.fill(states).squeeze(-1)

    def start_from(self, name: str, revision: str | None) -> None:
        """Take the weights of the encoder of the T5 called `name`, a folder or hub name.

        Raises JobError where it has other sizes than the config says, or lacks weights.
        """
        given, loading = T5EncoderModel.from_pretrained(
            name,
            revision=revision,
            dtype=torch.float32,
            weights_only=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
        wrong = [
            f"{key} {getattr(given.config, key)}, not {getattr(self.config, key)}"
            for key in SIZES
            if getattr(given.config, key) != getattr(self.config, key)
        ]
        if wrong:
            hint = "write the model's own sizes under model.config"
            raise JobError("other sizes", f"{name} has {', '.join(wrong)}", hint)
        lacking = sorted(key for key in loading["missing_keys"] if key.startswith("encoder.block"))
        if lacking:
            count = f"{len(lacking)} tensor{'' if len(lacking) == 1 else 's'}"
            message = f"{name} lacks {count} of the encoder: {', '.join(lacking[:3])}"
            raise JobError(
                "lacking weights", message, "name a T5, or start from scratch with model.name null"
            )
        self.encoder.load_state_dict(_without_words(given.encoder).state_dict())


def learning_rates(model: Forecaster, rate: float, top: float, decay: float) -> list[dict[str, Any]]:
    """The optimizer's groups: T5's layers from `top` downwards, each `decay` times the one above; the rest.

    T5's final norm belongs to its uppermost layer. Inputs and heads have `rate`.
    """
    blocks = list(model.encoder.block)
    layers = [{"params": list(block.parameters())} for block in blocks]
    layers[-1]["params"] += list(model.encoder.final_layer_norm.parameters())
    groups = [
        {**layer, "lr": top * decay ** (len(blocks) - 1 - place), "name": f"t5.{place}"}
        for place, layer in enumerate(layers)
    ]
    inside = {id(one) for one in model.encoder.parameters()}
    others = [one for one in model.parameters() if id(one) not in inside]
    return [*groups, {"params": others, "lr": rate, "name": "rest"}]


def hide(shape: tuple[int, int], ratio: float, span_max: int, generator: torch.Generator) -> Tensor:
    """Where values are hidden: spans of 1 to `span_max` values, `ratio` of each window in all (rounded)."""
    length = shape[1]
    hidden = torch.zeros(shape, dtype=torch.bool)
    wanted = min(round(ratio * length), length - 1)
    for row in hidden:
        while (left := wanted - int(row.sum())) > 0:
            span = int(torch.randint(1, min(span_max, left) + 1, (), generator=generator))
            start = int(torch.randint(0, length - span + 1, (), generator=generator))
            row[start : start + span] = True
    return hidden


def correlation(forecasts: Tensor, targets: Tensor) -> float:
    """Pearson's correlation; NaN where one side is constant, or for fewer than two values."""
    if len(forecasts) < 2:
        return float("nan")
    both = torch.stack((forecasts.double(), targets.double()))
    centred = both - both.mean(dim=1, keepdim=True)
    norms = centred.norm(dim=1)
    if not bool((norms > 0).all()):
        return float("nan")
    return float((centred[0] @ centred[1]) / (norms[0] * norms[1]))


def _without_words(stack: Any) -> Any:
    stack.embed_tokens = None
    return stack
