"""A loaded model with its languages and parameters: batches of lines in, their translations out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runners.worker.errors import JobError
from runners.worker.messages import Generate
from runners.worker.models import families, loading, resolved_config
from runners.worker.models.checkpoint_languages import Wish, choose_source, choose_target
from runners.worker.models.families import Family
from runners.worker.protocol import Events

UNLIMITED = 10**6  # tokenizers without a limit say 10**30


@dataclass(frozen=True, slots=True)
class Translator:
    """Translates lines by their number.

    `rows` holds the token ids of every line that has text, `parameters` the arguments of `generate`,
    `resolved` the resulting generation config, `codes` the language codes by role. `keys` names the missing
    and the unexpected tensors of the weights file.
    """

    family: Family
    model: Any
    tokenizer: Any
    parameters: Mapping[str, Any]
    resolved: Any
    rows: Mapping[int, list[int]]
    keys: Mapping[str, list[str]]
    codes: Mapping[str, str | None]
    device: str
    seed: int

    def __call__(self, lines: Sequence[int]) -> list[str]:
        """The translations of one batch of lines, each on one line."""
        import torch

        batch = [self.rows[line] for line in lines]
        width = max(len(row) for row in batch)
        ids = [row + [self.tokenizer.pad_token_id] * (width - len(row)) for row in batch]
        mask = [[1] * len(row) + [0] * (width - len(row)) for row in batch]
        # Seeded for each batch, so that sampling does not depend on earlier batches.
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
    """The text of a generated sequence, on one line; `forced` is the token that generation put first.

    The start token and a forced language do not belong to the text; M2M100's `__ja__` counts as text in
    folders that do not list it as special.
    """
    ids = sequence[2:] if forced is not None and sequence[1:2] == [forced] else sequence[1:]
    return on_one_line(tokenizer.decode(ids, skip_special_tokens=True))


def on_one_line(text: str) -> str:
    """`text` with every Unicode line break replaced by a space."""
    return " ".join(text.splitlines())


def prepare(job: Generate, texts: Sequence[str], events: Events) -> Translator:
    """Load the job's model and encode `texts`; errors that would affect every line are raised here.

    Blank lines get no row. Lines longer than the model can read are cut, and a notice says how many.
    """
    family = loading.find_family(job.family, job.model)
    loading.check_weights(job.model)
    dtype = loading.check_dtype(job.dtype)
    device = loading.choose_device(job.device)
    _make_deterministic()
    tokenizer = families.load_tokenizer(family, job.model)
    model, keys = families.load_model(family, job.model, dtype, device)
    if keys["missing_keys"]:
        events.notice(
            f"the weights file lacks {len(keys['missing_keys'])} tensors, which start from random values"
        )
    codes = _codes(job, family, model, tokenizer, events)
    language = families.generation_kwargs(family, tokenizer, codes["target"])
    parameters = {**job.generation, **language}
    resolved = resolved_config.resolve_generation(model, parameters)
    _check_length(model, resolved)
    limit = longest_source(model, tokenizer)
    rows = _encode(codes, family, tokenizer, texts, limit)
    cut = sum(limit is not None and len(row) >= limit for row in rows.values())
    if cut:
        events.notice(f"{cut} source lines have {limit} tokens or more, and are cut there")
    return Translator(family, model, tokenizer, parameters, resolved, rows, keys, codes, device, job.seed)


def _codes(
    job: Generate, family: Family, model: Any, tokenizer: Any, events: Events
) -> dict[str, str | None]:
    """The codes by role: those of the job, or those that follow where it has none."""
    written = {"source": job.source_code, "target": job.target_code}
    configs = (model.generation_config, model.config)
    codes = {
        "source": choose_source(family, tokenizer, Wish(job.source_code, job.source_names)),
        "target": choose_target(family, configs, tokenizer, Wish(job.target_code, job.target_names)),
    }
    for role, code in codes.items():
        if code is not None and written[role] is None:
            events.notice(f"no code is named for the {role}: the model is given {code}")
    return codes


def _encode(
    codes: Mapping[str, str | None], family: Family, tokenizer: Any, texts: Sequence[str], limit: int | None
) -> dict[int, list[int]]:
    lines = [line for line, text in enumerate(texts) if text.strip()]
    filled = [texts[line] for line in lines]
    rows = families.encode(family, tokenizer, filled, codes["source"], codes["target"], limit)
    return dict(zip(lines, rows, strict=True))


def longest_source(model: Any, tokenizer: Any) -> int | None:
    """The most tokens that the encoder reads; None where neither model nor tokenizer sets a limit."""
    limits = (getattr(model.config, "max_position_embeddings", None), tokenizer.model_max_length)
    return min((limit for limit in limits if limit is not None and limit < UNLIMITED), default=None)


def _check_length(model: Any, resolved: Any) -> None:
    """Past its last position a model fails on the CPU; on CUDA the device fails with it."""
    limit = getattr(model.config, "max_position_embeddings", None)
    wanted = resolved.max_new_tokens or resolved.max_length
    if limit is not None and wanted is not None and wanted > limit:
        message = f"{wanted} tokens are requested, but the model has {limit} positions"
        raise JobError("too long", message, "lower generation.max_length in the spec")


def _make_deterministic() -> None:
    import torch

    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False
