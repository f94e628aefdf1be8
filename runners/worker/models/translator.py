"""A loaded model, told its languages and parameters: batches of lines in, their translations out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runners.worker.errors import JobError
from runners.worker.models import families, loading, resolved_config
from runners.worker.models.families import Family
from runners.worker.protocol import Events

UNLIMITED = 10**6  # tokenizers without a limit say 10**30


@dataclass(frozen=True, slots=True)
class Translator:
    """Translates lines by their number.

    `rows` holds the token ids of every line that has text, `parameters` what `generate` is called with,
    `resolved` the generation config that this amounts to. `keys` names the tensors that the weights file
    lacked or had too many.
    """

    family: Family
    model: Any
    tokenizer: Any
    parameters: Mapping[str, Any]
    resolved: Any
    rows: Mapping[int, list[int]]
    keys: Mapping[str, list[str]]
    device: str
    seed: int

    def __call__(self, lines: Sequence[int]) -> list[str]:
        """The translations of one batch of lines, each on one line."""
        import torch

        batch = [self.rows[line] for line in lines]
        width = max(len(row) for row in batch)
        ids = [row + [self.tokenizer.pad_token_id] * (width - len(row)) for row in batch]
        mask = [[1] * len(row) + [0] * (width - len(row)) for row in batch]
        # Seeded anew for each batch, so that sampling does not depend on what ran before.
        torch.manual_seed(self.seed + lines[0])
        with torch.inference_mode():
            output = self.model.generate(
                input_ids=torch.tensor(ids, device=self.device),
                attention_mask=torch.tensor(mask, device=self.device),
                **self.parameters,
            )
        best = output[:: self.resolved.num_return_sequences or 1].tolist()
        forced = self.resolved.forced_bos_token_id
        return [text_of(self.tokenizer, sequence, forced) for sequence in best]


def text_of(tokenizer: Any, sequence: list[int], forced: int | None) -> str:
    """What a generated sequence says, on one line; `forced` is the token that it was made to begin with.

    The start token and a forced language are no part of the text; M2M100's `__ja__` counts as text in
    folders that do not list it as special.
    """
    ids = sequence[2:] if forced is not None and sequence[1:2] == [forced] else sequence[1:]
    return on_one_line(tokenizer.decode(ids, skip_special_tokens=True))


def on_one_line(text: str) -> str:
    """`text` with every line break that Unicode knows made a space, so that a line stays a line."""
    return " ".join(text.splitlines())


def prepare(job: Mapping[str, Any], texts: Sequence[str], events: Events) -> Translator:
    """Load what the job names and encode `texts`; whatever can go wrong for all lines goes wrong here.

    Blank lines get no row. Lines longer than the model can read are cut, and a notice says how many.
    """
    family = loading.find_family(job.get("family"), job["model"])
    loading.check_weights(job["model"])
    dtype = loading.check_dtype(job.get("dtype", "float32"))
    device = loading.choose_device(job.get("device", "auto"))
    _make_deterministic()
    tokenizer = families.load_tokenizer(family, job["model"])
    model, keys = families.load_model(family, job["model"], dtype, device)
    if keys["missing_keys"]:
        events.notice(
            f"the weights file lacks {len(keys['missing_keys'])} tensors, which start from random values"
        )
    told = families.generation_kwargs(family, tokenizer, job.get("target_code"))
    parameters = {**job.get("generation", {}), **told}
    resolved = resolved_config.resolve_generation(model, parameters)
    _check_length(model, resolved)
    limit = longest_source(model, tokenizer)
    rows = _encode(job, family, tokenizer, texts, limit)
    cut = sum(limit is not None and len(row) >= limit for row in rows.values())
    if cut:
        events.notice(f"{cut} source lines have {limit} tokens or more, and are cut there")
    return Translator(family, model, tokenizer, parameters, resolved, rows, keys, device, job.get("seed", 0))


def _encode(
    job: Mapping[str, Any], family: Family, tokenizer: Any, texts: Sequence[str], limit: int | None
) -> dict[int, list[int]]:
    lines = [line for line, text in enumerate(texts) if text.strip()]
    source, target = job.get("source_code"), job.get("target_code")
    rows = families.encode(family, tokenizer, [texts[line] for line in lines], source, target, limit)
    return dict(zip(lines, rows, strict=True))


def longest_source(model: Any, tokenizer: Any) -> int | None:
    """The most tokens that the encoder reads; None where neither model nor tokenizer sets an end."""
    limits = (getattr(model.config, "max_position_embeddings", None), tokenizer.model_max_length)
    return min((limit for limit in limits if limit is not None and limit < UNLIMITED), default=None)


def _check_length(model: Any, resolved: Any) -> None:
    """Past its last position a model fails on the CPU, and on CUDA takes the device with it."""
    limit = getattr(model.config, "max_position_embeddings", None)
    asked = resolved.max_new_tokens or resolved.max_length
    if limit is not None and asked is not None and asked > limit:
        message = f"{asked} tokens are asked for, but the model has {limit} positions"
        raise JobError("too long", message, "lower generation.max_length in the spec")


def _make_deterministic() -> None:
    import torch

    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False
